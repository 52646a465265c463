"""DockerOperator and KubernetesPodOperator without a Docker engine and a cluster: their arguments, and how they render.

The image runs on ECS (`orkestra_bridge/runtime/own_image.py`), so nothing here starts it. Of the two decorators the
function runs in an image that is built on theirs. The providers' own modules would bring the clients of both worlds
along, that of Kubernetes with a hundred megabytes of memory and seconds of import.
"""

from __future__ import annotations

import json
from typing import Any

from airflow._impl.exceptions import AirflowException
from airflow._impl.operator import ARGUMENTS, BaseOperator
from airflow._impl.taskflow import DecoratedOperator


class _ImageOperator(BaseOperator):
    """Keeps whatever the operator of the provider takes.

    ``of_image`` is what happens where `execute` is called: the image is started, or has ended.
    """

    of_image: Any = None

    def __init__(self, **kwargs: Any) -> None:
        own = {name: kwargs.pop(name) for name in list(kwargs) if name not in ARGUMENTS}
        own.pop("default_args", None)
        super().__init__(**kwargs)
        self.__dict__.update(own)

    def execute(self, context: Any) -> Any:
        if self.of_image is None:
            raise AirflowException(f"{self.task_type} runs its image on ECS, and not here")
        return self.of_image()


class DockerOperator(_ImageOperator):
    template_fields: Any = (
        "image",
        "command",
        "environment",
        "env_file",
        "container_name",
        "mounts",
        "docker_conn_id",
    )
    template_ext: Any = (".sh", ".bash", ".env")

    def __init__(
        self,
        *,
        image: str,
        command: Any = None,
        container_name: Any = None,
        docker_url: Any = None,
        environment: Any = None,
        env_file: Any = None,
        mount_tmp_dir: bool = True,
        tmp_dir: str = "/tmp/airflow",  # noqa: S108  # of the container, as in the provider
        mounts: Any = None,
        entrypoint: Any = None,
        xcom_all: bool = False,
        docker_conn_id: Any = None,
        skip_on_exit_code: Any = None,
        **kwargs: Any,
    ) -> None:
        if "skip_exit_code" in kwargs:  # of older providers
            skip_on_exit_code = kwargs.pop("skip_exit_code")
        super().__init__(
            image=image,
            command=command,
            container_name=container_name,
            docker_url=docker_url,
            environment=environment or {},
            env_file=env_file,
            mount_tmp_dir=mount_tmp_dir,
            tmp_dir=tmp_dir,
            mounts=mounts or [],
            entrypoint=entrypoint,
            xcom_all=xcom_all,
            docker_conn_id=docker_conn_id,
            skip_on_exit_code=_codes(skip_on_exit_code),
            **kwargs,
        )

    @staticmethod
    def unpack_environment_variables(env_str: str) -> dict[str, str | None]:
        """Return the variables of a ``.env`` file's text, as python-dotenv reads it."""
        from io import StringIO

        from orkestra_bridge.runtime.environment_file import read

        return read(StringIO(env_str))


def _codes(given: Any) -> list[int]:
    if given is None:
        return []
    return [given] if isinstance(given, int) else list(given)


class KubernetesPodOperator(_ImageOperator):
    BASE_CONTAINER_NAME = "base"
    config_file: Any = None  # what is built on it looks at it when it is made
    template_fields: Any = (
        "image",
        "name",
        "hostname",
        "cmds",
        "annotations",
        "arguments",
        "env_vars",
        "labels",
        "namespace",
        "base_container_name",
    )
    template_ext: Any = ()

    def __init__(
        self,
        *,
        image: Any = None,
        name: Any = None,
        hostname: Any = None,
        namespace: Any = None,
        cmds: Any = None,
        arguments: Any = None,
        env_vars: Any = None,
        labels: Any = None,
        annotations: Any = None,
        base_container_name: Any = None,
        do_xcom_push: bool = False,
        skip_on_exit_code: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            image=image,
            name=name,
            hostname=hostname,
            namespace=namespace,
            cmds=cmds or [],
            arguments=arguments or [],
            env_vars=env_vars or [],
            labels=labels or {},
            annotations=annotations or {},
            base_container_name=base_container_name or self.BASE_CONTAINER_NAME,
            do_xcom_push=do_xcom_push,
            skip_on_exit_code=_codes(skip_on_exit_code),
            **kwargs,
        )

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Render the template fields; of variables, names and values are templates."""
        if not hasattr(self.env_vars, "resolve") and not isinstance(self.env_vars, str):
            self.env_vars = _pairs(self.env_vars)
        super().render_template_fields(context, jinja_env)
        self.env_vars = dict(_pairs(self.env_vars))


def _pairs(variables: Any) -> list[list[Any]]:
    """Return variables, given as a dict, as objects of Kubernetes' client or as pairs already, as pairs.

    One whose value a cluster keeps is in the task definition, and not among them.
    """
    if isinstance(variables, dict):
        return [[name, value] for name, value in variables.items()]
    found = []
    for each in variables or ():
        if isinstance(each, list):
            found.append(each)
            continue
        if getattr(each, "value_from", None) is None:
            found.append([each.name, each.value or ""])
    return found


class _DockerDecoratedOperator(DecoratedOperator, DockerOperator):
    custom_operator_name = "@task.docker"
    template_fields: Any = (*DockerOperator.template_fields, "op_args", "op_kwargs")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kwargs_to_upstream={"command": "placeholder command"}, **kwargs)

    def execute(self, context: Any) -> Any:
        return self.python_callable(*self.op_args, **self.op_kwargs)


class _KubernetesDecoratedOperator(DecoratedOperator, KubernetesPodOperator):
    custom_operator_name = "@task.kubernetes"
    template_fields: Any = ("image", "env_vars", "op_args", "op_kwargs")

    def __init__(self, *, python_callable: Any, name: Any = None, **kwargs: Any) -> None:
        name = name or f"k8s-airflow-pod-{python_callable.__name__}"
        super().__init__(kwargs_to_upstream={"name": name}, python_callable=python_callable, **kwargs)

    def execute(self, context: Any) -> Any:
        # what the pod would leave in its file is JSON
        result = self.python_callable(*self.op_args, **self.op_kwargs)
        return json.loads(json.dumps(result)) if self.do_xcom_push else None


DECORATED = {"docker": _DockerDecoratedOperator, "kubernetes": _KubernetesDecoratedOperator}
