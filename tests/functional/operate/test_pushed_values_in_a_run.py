"""What `secrets push` writes is what a task of the built package finds, through moto."""

from __future__ import annotations

from pathlib import Path

from commands import bridge
from moto.server import ThreadedMotoServer

SAMPLE = Path(__file__).parents[3] / "sample_dags" / "settings_and_secrets.py"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def test_a_task_finds_what_was_pushed(tmp_path: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        (tmp_path / "v.json").write_text('{"thresholds": {"low": 42}}')
        (tmp_path / "c.env").write_text("shop_api=https://user:hunter2-password@shop.example:8443\n")
        options = (
            "--variables",
            "v.json",
            "--connections",
            "c.env",
            "--prefix",
            "/shop",
            "--endpoint-url",
            address,
        )
        pushed = bridge("secrets", "push", *options, cwd=tmp_path, **CREDENTIALS)
        assert pushed.code == 0, pushed.err
        settings = {**CREDENTIALS, "AWS_ENDPOINT_URL": address, "ORKESTRA_BRIDGE_PREFIX": "shop"}
        (tmp_path / "aws.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        convert = ("convert", SAMPLE, "-o", "out", "--layers", "skip", "--cache-dir", tmp_path / "cache")
        assert bridge(*convert, cwd=tmp_path).code == 0
        run = ("run", "settings_and_secrets", "--out", "out", "--env-file", "aws.env", "--format", "json")
        done = bridge(*run, cwd=tmp_path)
    finally:
        server.stop()
    assert done.code == 0, done.out + done.err
    found = done.json()["xcom"]
    assert found["settings"]["return_value"]["low"] == 42
    assert found["endpoint"]["return_value"] == "https://shop.example:8443"
