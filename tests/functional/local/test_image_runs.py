"""DockerOperator and KubernetesPodOperator from the DAG file to the end of a run, with a program in place of Docker.

The program takes the arguments of `docker run`, puts the folders of mounts where they are on this machine, and runs the
command here: what the machine and the function hand over is all that it knows.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from orkestra_bridge.pipeline import Conversion

ENGINE = """#!/bin/bash
if [ "$1" != run ]; then exit 64; fi; shift
variables=(); program=(); from=(); to=()
while [ "${1:0:2}" == -- ]; do case "$1" in
  --rm) shift;;
  --env) if [[ "$2" == *=* ]]; then variables+=("$2"); else variables+=("$2=${!2}"); fi; shift 2;;
  --entrypoint) program=("$2"); shift 2;;
  --volume) from+=("${2##*:}"); to+=("${2%%:*}"); shift 2;;
  *) shift 2;;
esac; done
if [ "$1" == no/such:image ]; then echo "pull access denied for no/such"; exit 125; fi
shift
words=("$@")
for number in "${!from[@]}"; do words=("${words[@]//${from[number]}/${to[number]}}"); done
exec env -i PATH="$PATH" "${variables[@]}" "${program[@]}" "${words[@]}"
"""
DOCKER_DAG = """
from datetime import datetime, timedelta
from airflow import DAG
from airflow.decorators import task
from airflow.providers.docker.operators.docker import DockerOperator

SOON = {"retries": 2, "retry_delay": timedelta(seconds=30)}

def note(context):
    context["ti"].xcom_push("note", f"{type(context.get('exception')).__name__} {context['task'].command}")

class Etl(DockerOperator):
    def __init__(self, *, job, **kwargs):
        super().__init__(image="team/etl:1", command=["echo", job, "{{ ds }}"], **kwargs)

class Around(DockerOperator):
    def execute(self, context):
        if self.command == "no":
            self.command = ["echo", context["ds"]]
        context["ti"].xcom_push("seen", self.task_id)
        result = super().execute(context)
        return {"line": result}

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None, default_args={"image": "team/base:2"}):
    @task
    def lines():
        return ["sh -c 'echo 1'", "sh -c 'exit 9'"]

    first = DockerOperator(
        task_id="first", command="sh -c 'echo $GREETING; echo {{ ds }}'", environment={"GREETING": "hi {{ run_id }}"},
    )
    all_lines = DockerOperator(task_id="all_lines", command="sh -c 'echo a; echo b'", xcom_all=True)
    quiet = DockerOperator(task_id="quiet", command="echo x", do_xcom_push=False)
    scratch = DockerOperator(task_id="scratch", command="sh -c 'echo $AIRFLOW_TMP_DIR'", tmp_dir="/work")
    skipped = DockerOperator(task_id="skipped", command="sh -c 'exit 99'", skip_on_exit_code=[98, 99], **SOON)
    fails = DockerOperator(task_id="fails", command="sh -c 'exit 3'", on_failure_callback=note, **SOON)
    around = Around(task_id="around", image="team/etl:1", command="no")
    missed = Around(task_id="missed", image="team/etl:1", command="sh -c 'exit 3'", **SOON)
    third = DockerOperator(
        task_id="third", command="sh -c 'echo {{ ti.try_number }}; test {{ ti.try_number }} = 3'", **SOON
    )
    broken = DockerOperator(task_id="broken", command="{{ nowhere.at_all }}")
    program = DockerOperator(task_id="program", entrypoint=["sh", "-c"], command=["echo entry"])
    etl = Etl(task_id="etl", job="nightly")
    mapped = DockerOperator.partial(task_id="mapped", skip_on_exit_code=9).expand(command=lines())

    @task
    def reads(values):
        return values
    reads(first.output)

    @task.docker(image="python:3.12", multiple_outputs=True)
    def function(x):
        return {"twice": 2 * x}
    function(4)
"""
POD_DAG = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

with DAG("p", start_date=datetime(2024, 1, 1), schedule=None):
    KubernetesPodOperator(
        task_id="result", image="team/etl:1", cmds=["sh", "-c"],
        arguments=["echo '{\\"rows\\": {{ 6 * 7 }}}' > /airflow/xcom/return.json; echo done"], do_xcom_push=True,
    )
    KubernetesPodOperator(task_id="nothing", image="team/etl:1", cmds=["sh", "-c"], arguments=["echo no result"])
    KubernetesPodOperator(
        task_id="program", image="team/etl:1", cmds=["{{ 'printenv' }}"], arguments=["DAY"], env_vars={"DAY": "{{ ds }}"}
    )

    @task.kubernetes(image="python:3.12", do_xcom_push=True)
    def function(x):
        return (x, x)
    function(4)
"""


def installed(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"the {name} provider is not installed")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("engine") / "engine"
    path.write_text(ENGINE, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def converted(home: Path, text: str) -> Conversion:
    (home / "dag.py").write_text(text, encoding="utf-8")
    return convert(ConvertOptions(paths=(home / "dag.py",), out=home / "out", layers="skip", cache=None))


def run(conversion: Conversion, dag_id: str, engine: str, **more: Any) -> RunResult:
    request = RunRequest(
        out=conversion.out,
        dag_id=dag_id,
        python=Path(sys.executable),
        container_command=engine,
        logical_date="2024-03-01T00:00:00+00:00",
        **more,
    )
    return run_dag(request, clock=VirtualClock())


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    installed("docker")
    return converted(tmp_path_factory.mktemp("docker"), DOCKER_DAG)


@pytest.fixture(scope="module")
def result(docker: Conversion, engine: str) -> RunResult:
    assert docker.translated == ("d",), docker.report.dags[0].findings
    return run(docker, "d", engine)


def test_the_last_line_is_the_xcom_and_templates_are_rendered(result: RunResult) -> None:
    assert result.tasks["first"].xcom == {"return_value": "2024-03-01"}
    assert result.tasks["reads"].xcom == {"return_value": "2024-03-01"}
    assert "hi manual__2024" in (result.logs / "first.log").read_text()
    assert result.tasks["all_lines"].xcom == {"return_value": ["a", "b"]}
    assert (result.tasks["quiet"].state, result.tasks["quiet"].xcom) == ("success", {})
    assert result.tasks["scratch"].xcom == {"return_value": "/work"}
    assert result.tasks["program"].xcom == {"return_value": "entry"}


def test_an_execute_of_the_users_runs_around_the_image(docker: Conversion, result: RunResult) -> None:
    assert result.tasks["around"].xcom == {"return_value": {"line": "2024-03-01"}, "seen": "around"}
    findings = docker.report.dags[0].findings
    assert {each.task_id for each in findings if each.id == "OB253"} == {"around", "missed"}


def test_subclasses_bring_their_arguments(result: RunResult) -> None:
    assert result.tasks["etl"].xcom == {"return_value": "nightly 2024-03-01"}


def test_exit_codes_decide(result: RunResult) -> None:
    states = {name: (task.state, task.tries) for name, task in result.tasks.items()}
    assert states["skipped"] == ("skipped", 1)
    assert states["fails"] == ("failed", 3)
    assert states["third"] == ("success", 3)
    assert states["broken"] == ("failed", 1)
    assert (states["mapped[0]"], states["mapped[1]"]) == (("success", 1), ("skipped", 1))
    assert result.tasks["third"].xcom == {"return_value": "3"}
    assert states["missed"] == ("failed", 3)
    assert str(result.tasks["fails"].error).startswith(
        "AirflowException: the container failed with exit code 3"
    )
    assert result.tasks["fails"].xcom == {"note": "AirflowException sh -c 'exit 3'"}


def test_a_decorated_function_runs_in_an_image_built_on_its_own(
    docker: Conversion, result: RunResult
) -> None:
    assert result.tasks["function"].xcom == {"return_value": {"twice": 8}, "twice": 8}
    dockerfile = (docker.out / "d" / "container-2" / "Dockerfile").read_text()
    assert "\nFROM python:3.12\n" in dockerfile
    [finding] = [each for each in docker.report.dags[0].findings if each.id == "OB238"]
    assert finding.task_id == "function"


def test_the_package_needs_neither_provider_nor_client(docker: Conversion) -> None:
    requirements = (docker.out / "d" / "functions" / "requirements.txt").read_text()
    assert "docker" not in requirements


def test_other_modules_of_the_provider_are_packed(tmp_path: Path) -> None:
    installed("docker")
    text = (
        "from datetime import datetime\nfrom airflow import DAG\n"
        "from airflow.providers.docker.hooks.docker import DockerHook\n"
        "from airflow.providers.docker.operators.docker import DockerOperator\n"
        "with DAG('d', start_date=datetime(2024, 1, 1), schedule=None):\n"
        "    DockerOperator(task_id='t', image='a')\n"
    )
    conversion = converted(tmp_path, text)
    assert conversion.translated == ("d",), conversion.report.dags[0].findings
    assert "docker==" in (conversion.out / "d" / "functions" / "requirements.txt").read_text()


def test_an_image_that_the_engine_does_not_have_stops_the_run(docker: Conversion, engine: str) -> None:
    with pytest.raises(LocalRunError, match="pull access denied"):
        run(docker, "d", engine, images={"Image1Uri": "no/such:image"})


def test_without_an_engine_the_run_says_what_it_needs(
    docker: Conversion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LocalRunError, match="neither docker nor podman"):
        run_dag(RunRequest(out=docker.out, dag_id="d", python=Path(sys.executable)))


def test_a_pod_leaves_its_result_in_a_file(tmp_path: Path, engine: str) -> None:
    installed("kubernetes")
    conversion = converted(tmp_path, POD_DAG)
    result = run(conversion, "p", engine)
    assert {name: task.xcom.get("return_value") for name, task in result.tasks.items()} == {
        "result": {"rows": 42},
        "nothing": None,
        "program": None,
        "function": [4, 4],
    }
    assert "2024-03-01" in (result.logs / "program.log").read_text()
    requirements = json.loads((conversion.out / "report.json").read_text())["dags"][0]["requirements"]
    assert not any(each.startswith("kubernetes") for each in requirements)


CALLBACKS_DAG = """
from datetime import datetime
from airflow import DAG
from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

class Evicts(KubernetesPodOperatorCallback):
    @staticmethod
    def on_pod_completion(*, pod, client, mode, **kwargs):
        client.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, {})

class Reads(KubernetesPodOperatorCallback):
    @staticmethod
    def progress_callback(*, line, client, mode, **kwargs):
        print(line)

with DAG("evicts", start_date=datetime(2024, 1, 1), schedule=None):
    KubernetesPodOperator(task_id="pod", image="team/a:1", cmds=["sh", "-c", "exit 0"], callbacks=Evicts)
with DAG("reads", start_date=datetime(2024, 1, 1), schedule=None):
    KubernetesPodOperator(task_id="pod", image="team/a:1", cmds=["run"], callbacks=[Evicts, Reads])
"""


def test_callbacks_about_a_pod_have_nothing_to_hear_of_and_those_that_hear_the_log_are_refused(
    tmp_path: Path, engine: str
) -> None:
    installed("kubernetes")
    conversion = converted(tmp_path, CALLBACKS_DAG)
    evicts, reads = conversion.report.dags
    assert [(each.id, each.message) for each in evicts.findings if each.attribute == "callbacks"] == [
        ("OB234", "callbacks: Evicts is not called: it is told what becomes of a pod, and there is none")
    ]
    assert [each.id for each in reads.findings if each.attribute == "callbacks"] == ["OB235"]
    assert conversion.translated == ("evicts",)
    assert evicts.needs.connections == ()
    assert run(conversion, "evicts", engine).run_state == "success"


METHODS_DAG = """
from datetime import datetime
from airflow import DAG
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

class Audited:
    def on_kill(self):
        super().on_kill()

class Etl(Audited, KubernetesPodOperator):
    template_fields = ("image",)

    def helper(self):
        return 1

    def pre_execute(self, context):
        context["ti"].xcom_push("before", self.helper())

    def cleanup(self, *arguments, **more):
        super().cleanup(*arguments, **more)

class Mounts(Etl):
    def build_pod_request_obj(self, context=None):
        return super().build_pod_request_obj(context)

with DAG("kept", start_date=datetime(2024, 1, 1), schedule=None):
    Etl(task_id="pod", image="team/a:1", cmds=["sh", "-c", "exit 0"])
with DAG("lost", start_date=datetime(2024, 1, 1), schedule=None):
    Mounts(task_id="pod", image="team/a:1", cmds=["run"])
"""


def test_methods_of_subclasses_are_called_or_said(tmp_path: Path, engine: str) -> None:
    installed("kubernetes")
    conversion = converted(tmp_path, METHODS_DAG)
    kept, lost = conversion.report.dags
    said = {
        (each.dag_id, each.id, each.message.partition(" is not")[0])
        for each in (*kept.findings, *lost.findings)
        if "is not called" in each.message
    }
    assert said == {
        ("kept", "OB234", "Audited.on_kill(), Etl.cleanup()"),
        ("lost", "OB234", "Audited.on_kill(), Etl.cleanup()"),
        ("lost", "OB235", "Mounts.build_pod_request_obj()"),
    }
    result = run(conversion, "kept", engine)
    assert (result.run_state, result.tasks["pod"].xcom) == ("success", {"before": 1})


CLUSTER_DAG = """
from datetime import datetime
from airflow import DAG
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import models as k8s

def from_config(name, key):
    selector = k8s.V1ConfigMapKeySelector(name=name, key=key)
    return k8s.V1EnvVar(name="REGION", value_from=k8s.V1EnvVarSource(config_map_key_ref=selector))

class Etl(KubernetesPodOperator):
    def __init__(self, **kwargs):
        super().__init__(image="team/etl:1", cmds=["sh", "-c"], do_xcom_push=True, **kwargs)

RESULT = '''printf '["%s", "%s", "%s"]' "$TOKEN" "$REGION" "$DAY" > /airflow/xcom/return.json'''
with DAG("c", start_date=datetime(2024, 1, 1), schedule=None):
    Etl(
        task_id="both", arguments=[RESULT], secrets=[Secret("env", "token", "etl", "the-token")],
        env_vars=[k8s.V1EnvVar(name="DAY", value="{{ ds }}"), k8s.V1EnvVar(name="TOKEN", value="no"),
                  from_config("site", "region")],
    )
    Etl(task_id="none", arguments=["echo [1] > /airflow/xcom/return.json"])
with DAG("whole", start_date=datetime(2024, 1, 1), schedule=None):
    Etl(task_id="whole", secrets=[Secret("env", None, "etl")], configmaps=["site"])
    Etl(task_id="files", secrets=[Secret("volume", "/etc/etl", "etl")])
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    installed("kubernetes")
    return converted(tmp_path_factory.mktemp("cluster"), CLUSTER_DAG)


def test_keys_that_a_cluster_keeps_are_said_and_had(cluster: Conversion, engine: str) -> None:
    assert cluster.translated == ("c",)
    kept, whole = cluster.report.dags
    [finding] = [each for each in kept.findings if each.id == "OB246"]
    assert finding.message.startswith("TOKEN, REGION of its environment")
    assert [each.name for each in kept.needs.kubernetes_secrets] == ["etl/the-token"]
    assert [each.name for each in kept.needs.kubernetes_configmaps] == ["site/region"]
    assert {
        (each.task_id, each.message.partition(":")[0]) for each in whole.findings if each.id == "OB235"
    } == {
        ("whole", "all keys of the Secret etl would be variables, and ECS wants to be told each"),
        ("whole", "all keys of the ConfigMap site would be variables, and ECS wants to be told each"),
        ("files", "Fargate mounts no files of a cluster"),
    }
    values = {"kubernetes-secrets/etl/the-token": "hunter2", "kubernetes-configmaps/site/region": "eu"}
    result = run(cluster, "c", engine, kubernetes=values)
    assert result.run_state == "success"
    assert result.tasks["both"].xcom["return_value"] == ["hunter2", "eu", "2024-03-01"]
    named = run(cluster, "c", engine, environment={"TOKEN": "mine", "REGION": "us"}, run_id="again")
    assert named.tasks["both"].xcom["return_value"] == ["mine", "us", "2024-03-01"]


def test_a_run_says_which_of_them_it_lacks(cluster: Conversion, engine: str) -> None:
    with pytest.raises(LocalRunError, match=r"TOKEN \(kubernetes-secrets/etl/the-token\)") as caught:
        run(cluster, "c", engine, kubernetes={"kubernetes-configmaps/site/region": "eu"})
    assert "REGION" not in str(caught.value)
