"""What becomes of the arguments of DockerOperator and KubernetesPodOperator when their image runs on Fargate.

Sources: Amazon ECS developer guide, "Task definition parameters for Fargate"; the constructors of the operators in the
docker and cncf.kubernetes providers, from those for Airflow 2.7 on.
"""

from __future__ import annotations

from orkestra_bridge.passes import rules
from orkestra_bridge.passes.claims import Claim

# fmt: off
KEPT_BY_DOCKER = frozenset(
    {
        "image", "command", "environment", "env_file", "cpus", "mem_limit", "entrypoint", "working_dir", "user",
        "mount_tmp_dir", "tmp_dir", "xcom_all", "skip_on_exit_code", "skip_exit_code", "tty", "force_pull", "xcom_push",
    }
)
KEPT_BY_KUBERNETES = frozenset(
    {
        "image", "cmds", "arguments", "env_vars", "container_resources", "resources", "do_xcom_push", "skip_on_exit_code",
        "active_deadline_seconds", "get_logs", "base_container_name", "xcom_push",
    }
)
KEPT_BY_FUNCTION = frozenset(
    {
        "python_callable", "op_args", "op_kwargs", "multiple_outputs", "command", "cmds", "retrieve_output",
        "retrieve_output_path", "python_command", "image", "cpus", "mem_limit", "container_resources", "resources",
        "do_xcom_push", "serializer", "use_dill", "expect_airflow", "name", "random_name_suffix",
    }
)
# fmt: on
_CLUSTER = "there is no Kubernetes cluster"
_NOTHING = "nothing; the work itself is the same"


def _unused(message: str, names: str, remedy: str = _NOTHING) -> dict[str, Claim]:
    return {name: Claim(rules.IMAGE_SETTING, message, remedy) for name in names.split()}


def _different(message: str, remedy: str, names: str) -> dict[str, Claim]:
    return {name: Claim(rules.IMAGE_SURROUNDINGS, message, remedy) for name in names.split()}


def _missing(message: str, remedy: str, names: str) -> dict[str, Claim]:
    return {name: Claim(rules.IMAGE_LACKS, message, remedy) for name in names.split()}


_FILES = "read and write files in S3 from the container, or mount EFS in the task definition of the template"
_REGISTRY = _different(
    "{value} is not looked up to log in to a registry",
    "push the image to ECR, or give a secret with user name and password as ImageCredentialsArn when you deploy",
    "docker_conn_id image_pull_secrets",
)

CALLED = frozenset(
    {
        "execute",
        "pre_execute",
        "post_execute",
        "render_template_fields",
        "unpack_environment_variables",
    }
)
"""Methods of a subclass that are called here; `execute` is answered elsewhere (`operators/refused.py`)."""
DECIDING = frozenset(
    {
        # Kubernetes
        "build_pod_request_obj", "extract_xcom", "execute_sync",
        # Docker
        "_run_image", "_run_image_with_mounts", "_attempt_to_retrieve_result", "format_command", "get_command",
    }
)  # fmt: skip
"""Methods that decide what is started, or what the result is."""

CLAIMS_BY_DOCKER = {
    **_unused(
        "there is no Docker engine to talk to",
        "api_version docker_url tls_ca_cert tls_client_cert tls_client_key tls_verify tls_hostname "
        "tls_ssl_version timeout",
    ),
    **_unused("a task of ECS is always removed when it has ended", "auto_remove"),
    **_unused("its folder is on the task's own disk of 20 GB", "host_tmp_dir"),
    **_unused("the log is in CloudWatch Logs", "log_opts_max_size log_opts_max_file"),
    **_unused("tasks of ECS have no such name", "container_name hostname labels"),
    **_REGISTRY,
    **_different(
        "{value} does not apply: the task has a network interface of its own in the VPC",
        "set what it may reach with SecurityGroupIds and SubnetIds when you deploy",
        "network_mode port_bindings dns dns_search",
    ),
    **_missing("Fargate mounts nothing of a host: {value}", _FILES, "mounts volumes"),
    **_missing(
        "Fargate gives no container such rights: {value}",
        "run the image on EC2 instances: EcsRunTaskOperator with launch_type EC2",
        "privileged cap_add device_requests ulimits ipc_mode shm_size",
    ),
    **_missing(
        "a task with a network interface of its own has no hosts file to add to: {value}",
        "give the names in a private hosted zone of Route 53",
        "extra_hosts",
    ),
    **_missing(
        "its values would be readable in the execution's history and in ECS",
        "let the container read them from Secrets Manager, and give the right with TaskPolicyArn",
        "private_environment",
    ),
    **_missing(
        "a file is not fetched from a container that has ended",
        "print the result as the last line, or write it to S3 and print its key",
        "retrieve_output retrieve_output_path",
    ),
}
CLAIMS_BY_KUBERNETES = {
    **_unused(
        f"{_CLUSTER} to talk to",
        "kubernetes_conn_id namespace in_cluster cluster_context config_file reattach_on_restart durable "
        "schedule_timeout_seconds startup_check_interval_seconds base_container_status_polling_interval "
        "automount_service_account_token",
    ),
    **_unused(
        "tasks of ECS have no such name", "name random_name_suffix labels annotations hostname subdomain"
    ),
    **_unused("the log of the container is in CloudWatch Logs", "container_logs init_container_logs"),
    **_unused(
        "there are no pods to tell about",
        "log_events_on_failure log_events_on_startup log_pod_spec_on_failure on_finish_action on_kill_action "
        "is_delete_operator_pod termination_message_policy logging_interval container_name_log_prefix_enabled "
        "log_formatter trigger_kwargs",
    ),
    **_unused("the state machine waits, and no worker", "deferrable poll_interval"),
    **_unused("Fargate pulls the image at each start", "image_pull_policy"),
    **_unused("the state machine waits as long as Fargate needs", "startup_timeout_seconds"),
    **_unused(
        "there are no nodes to choose from",
        "affinity tolerations schedulername priority_class_name priority_class runtime_class_name",
    ),
    **_unused("every task of ECS is asked to end, and killed two minutes later", "termination_grace_period"),
    **_REGISTRY,
    **_different(
        "Fargate has no nodes to choose from: {value}",
        "choose the CPU architecture with --architecture; GPUs need EC2 instances",
        "node_selector node_selectors",
    ),
    **_different(
        "the task has no service account, but the role ContainerImageRole",
        "give what it may do on AWS with TaskPolicyArn when you deploy",
        "service_account_name",
    ),
    **_different(
        "{value} does not apply: the task has a network interface of its own in the VPC",
        "set what it may reach with SecurityGroupIds and SubnetIds when you deploy",
        "hostnetwork dnspolicy dns_config ports",
    ),
    **_different(
        "of {value}, only the container's run_as_user is kept",
        "set users and groups in the image",
        "security_context container_security_context xcom_sidecar_container_security_context",
    ),
    **_missing("Fargate mounts no volume of a cluster: {value}", _FILES, "volumes volume_mounts"),
    **_missing(
        f"{_CLUSTER} that keeps them: {{value}}",
        'name each key: Secret("env", "VARIABLE", "SECRET", "KEY")',
        "secrets env_from configmaps",
    ),
    **_missing(
        "a pod as a whole is not translated: {value}",
        "give image, cmds, arguments, env_vars and container_resources to the operator",
        "full_pod_spec pod_template_file pod_template_dict init_containers",
    ),
    **_missing(
        f"{_CLUSTER} that knows: {{value}}",
        "leave it out, or give the values in env_vars",
        "pod_runtime_info_envs host_aliases",
    ),
    **_missing(
        "nothing calls it with the lines of the log: no worker watches the container",
        "do it in a task downstream",
        "callbacks progress_callback",
    ),
    **_unused(
        f"{_CLUSTER} to find",
        "location project_id gcp_conn_id use_internal_ip use_dns_endpoint impersonation_chain regional pod_name "
        "aws_conn_id aws_profile region",
    ),
    **_different(
        "it does not run on the cluster {value}, but on Fargate",
        "set what it may reach with SecurityGroupIds and SubnetIds when you deploy, what it may do with TaskPolicyArn",
        "cluster_name",
    ),
}
CALLBACKS_OF_PODS = _different(
    "{value} is not called: it is told what becomes of a pod, and there is none",
    "nothing, if it looks after the pod or writes a log; do anything else in a task downstream",
    "callbacks",
)
"""What is said about callbacks that are not given the lines of the log."""


def claims_of(kind: str, *, python: bool) -> tuple[frozenset[str], dict[str, Claim]]:
    """Return the arguments of an operator that are kept, and what is said about each of the others."""
    docker = kind == "docker"
    kept = KEPT_BY_DOCKER if docker else KEPT_BY_KUBERNETES
    claims = CLAIMS_BY_DOCKER if docker else CLAIMS_BY_KUBERNETES
    return (kept | KEPT_BY_FUNCTION if python else kept), claims
