"""The layer with a DAG's third-party modules, built for Lambda by `uv` without Docker or a Lambda machine.

DAGs with equal requirements share a layer. It is named by a hash over the pinned versions and the target,
built once, kept in the cache, and has the same bytes whoever builds it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.archive import EPOCH, LEVEL
from orkestra_bridge.packaging.installer import InstallError, install, locked, pins, platform_tag
from orkestra_bridge.packaging.model import Layer, LayerResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.options import Target
    from orkestra_bridge.packaging.model import Requirement

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Bytes of a function and its layers, unzipped (Lambda Developer Guide, quotas)."""

MEGABYTE = 1024 * 1024
LIMIT_TEXT = f"{UNZIPPED_LIMIT // MEGABYTE} MB"

FORMAT = 1
"""Part of a layer's name: raise it when the same requirements should give other bytes."""

INSTALLER_NAMES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock"})
DROPPED_SUFFIXES = (".pyc", ".pyi", ".typed", ".pxd", ".h", ".hpp")
NOWHERE = SourceSpan("requirements.txt")
"""Place of a finding that is about the layer; the pipeline knows which DAG asked for it."""


class Layers:
    """Builds each layer once, while other work goes on; a context manager.

    Args:
        target: The Python and machine of the function.
        cache: Where layers are kept; None keeps them until the end of the context.
        skip: True to build none.
        index: More arguments for uv, such as ``("--no-index", "--find-links", "wheels")``.
    """

    def __init__(
        self, target: Target, cache: Path | None, *, skip: bool = False, index: Sequence[str] = ()
    ) -> None:
        self._target = target
        self._skip = skip
        self._index = tuple(index)
        self._own = None if cache else Path(tempfile.mkdtemp(prefix="orkestra-bridge-layers-"))
        self._cache = cache or self._own or Path()
        self._pool: ThreadPoolExecutor | None = None
        self._known: dict[str, Future[LayerResult]] = {}
        self._unreachable: LayerResult | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is being built; after an error what has not begun is dropped."""
        if self._pool:
            self._pool.shutdown(cancel_futures=kind is not None)
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)

    def submit(
        self, requirements: tuple[Requirement, ...], constraints: tuple[str, ...] = ()
    ) -> Future[LayerResult]:
        """Return the layer for these requirements as a future; an equal one is not built again.

        ``constraints`` hold for what uv finds a version for.
        """
        key = layer_hash(requirements, self._target, constraints)
        if key not in self._known:
            self._known[key] = self._begin(requirements, constraints)
        return self._known[key]

    def _begin(
        self, requirements: tuple[Requirement, ...], constraints: tuple[str, ...]
    ) -> Future[LayerResult]:
        done: Future[LayerResult] = Future()
        ready = None if self._skip else cached_layer(requirements, self._target, self._cache, constraints)
        if self._skip or not _packed(requirements) or ready:
            done.set_result(LayerResult(layer=ready, findings=_too_large(ready) if ready else ()))
            return done
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="layers")
        return self._pool.submit(self._build, requirements, constraints)

    def _build(self, requirements: tuple[Requirement, ...], constraints: tuple[str, ...]) -> LayerResult:
        if self._unreachable:  # asking an index that does not answer takes seconds, each time
            return self._unreachable
        result = build_layer(
            requirements, self._target, self._cache, index=self._index, constraints=constraints
        )
        if any(finding.id == rules.LAYER_NOT_BUILT.id for finding in result.findings):
            self._unreachable = result
        return result


def build_layer(
    requirements: tuple[Requirement, ...],
    target: Target,
    cache: Path,
    *,
    index: Sequence[str] = (),
    constraints: tuple[str, ...] = (),
) -> LayerResult:
    """Return the layer that holds these requirements, from the cache if it is there.

    None if Lambda has all of them already, or if uv could not install them; then a finding says why.
    ``index`` are further arguments for uv, ``constraints`` lines of a constraints file.

    Raises OSError if the cache cannot be written.
    """
    if not _packed(requirements):
        return LayerResult(layer=None)
    layer = cached_layer(requirements, target, cache, constraints)
    if layer is None:
        with tempfile.TemporaryDirectory(prefix="orkestra-bridge-layer-") as scratch:
            folder = Path(scratch) / "python"
            try:
                install(_packed(requirements), folder, target, index, constraints=constraints)
            except InstallError as failure:
                return LayerResult(layer=None, findings=(_failure(failure, target),))
            _keep(folder, requirements, cache, layer_hash(requirements, target, constraints))
        layer = cached_layer(requirements, target, cache, constraints)
    return LayerResult(layer=layer, findings=_too_large(layer) if layer else ())


def layer_hash(requirements: Iterable[Requirement], target: Target, constraints: tuple[str, ...] = ()) -> str:
    """Return SHA-256 over all that decides what is in the layer."""
    facts = [FORMAT, target.python, platform_tag(target), list(locked(_packed(requirements)))]
    facts += [list(constraints)] if constraints else []
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def cached_layer(
    requirements: tuple[Requirement, ...], target: Target, cache: Path, constraints: tuple[str, ...] = ()
) -> Layer | None:
    """Return the layer if it was built before."""
    key = layer_hash(requirements, target, constraints)
    path = cache / "layers" / f"{key}.zip"
    try:
        size = int(json.loads(path.with_suffix(".json").read_text())["size"])
    except (OSError, ValueError, KeyError):
        return None
    if not path.is_file():
        return None
    packed = tuple(replace(requirement, reason="") for requirement in _packed(requirements))
    return Layer(key_hash=key, name=f"layer-{key[:12]}", path=path, size=size, requirements=packed)


def _packed(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return tuple(requirement for requirement in requirements if not requirement.provided)


def _keep(folder: Path, requirements: tuple[Requirement, ...], cache: Path, key: str) -> None:
    """Zip the folder into the cache; the size is written last and makes it valid."""
    home = cache / "layers"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".layer-", dir=home) as growing:
        archive = Path(growing) / "layer.zip"
        size = _zip(folder, archive)
        facts = Path(growing) / "layer.json"
        facts.write_text(json.dumps({"size": size, "requirements": pins(_packed(requirements))}))
        archive.replace(home / f"{key}.zip")
        facts.replace(home / f"{key}.json")


def _zip(folder: Path, archive: Path) -> int:
    """Zip what a function needs of it under ``python/``, in a fixed order, and return the bytes before."""
    size = 0
    with zipfile.ZipFile(archive, "w") as package:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or _dropped(path.relative_to(folder)):
                continue
            data = path.read_bytes()
            info = zipfile.ZipInfo(f"python/{path.relative_to(folder).as_posix()}", EPOCH)
            info.create_system = 3
            info.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
            package.writestr(info, data, zipfile.ZIP_DEFLATED, LEVEL)
            size += len(data)
    return size


def _dropped(path: Path) -> bool:
    """Return True for what is made by the installation or only read by compilers and type checkers."""
    return path.name in INSTALLER_NAMES or path.suffix in DROPPED_SUFFIXES or path.parts[0] == "bin"


def _failure(failure: InstallError, target: Target) -> Finding:
    if failure.other:
        return rules.OTHER_FILE.at(
            NOWHERE,
            f"{', '.join(failure.other)} has other files in the index than the hashes of the requirements file allow",
            "find out which of them is right: correct the hashes, or name the index that has the file",
        )
    if failure.unusable:
        return rules.NO_WHEEL.at(
            NOWHERE,
            f"{', '.join(failure.unusable)} cannot be installed for Python {target.python} on "
            f"{target.architecture}: {failure.reason}",
            "take a version that has a wheel for the target in the environment that parses the DAGs, "
            "or choose another target",
        )
    return rules.LAYER_NOT_BUILT.at(
        NOWHERE,
        f"the layer with third-party modules was not built: {failure.reason}",
        "convert again with uv and a package index within reach, or bring your own layer (--layers skip)",
    )


def is_too_large(result: LayerResult) -> bool:
    """Return True if there is a layer, and no function can have it."""
    return result.layer is not None and result.layer.size > UNZIPPED_LIMIT


def _too_large(layer: Layer) -> tuple[Finding, ...]:
    if layer.size <= UNZIPPED_LIMIT:
        return ()
    return (
        rules.LAYER_TOO_LARGE.at(
            NOWHERE,
            f"third-party modules have {layer.size / MEGABYTE:.0f} MB unzipped, "
            f"Lambda takes {LIMIT_TEXT}, and this DAG cannot run in containers alone: it has sensors, mapped tasks whose "
            "length only the run knows, or callbacks that the function calls",
            "split the DAG by what its tasks import",
        ),
    )
