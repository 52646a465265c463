"""Airflow's exceptions that user code raises or catches, with Airflow's own inheritance."""

from __future__ import annotations

from typing import Any


class AirflowException(Exception):
    """Base of Airflow's errors."""

    status_code = 500


class AirflowBadRequest(AirflowException):
    status_code = 400


class AirflowNotFoundException(AirflowException):
    status_code = 404


class AirflowConfigException(AirflowException):
    pass


class AirflowSensorTimeout(AirflowException):
    pass


class AirflowRescheduleException(AirflowException):
    def __init__(self, reschedule_date: Any) -> None:
        super().__init__(str(reschedule_date))
        self.reschedule_date = reschedule_date


class PokeAgain(BaseException):
    """Raised by a sensor that is not ready, for the runtime; no Exception, so that no operator swallows it.

    ``seconds`` until the next poke, ``remaining`` until the sensor gives up; ``exact`` if it must not be later; ``left``
    is what the next invocation has to know.
    """

    def __init__(self, seconds: float, *, remaining: float, exact: bool = False, left: Any = None) -> None:
        super().__init__(f"looks again in {seconds:g} s")
        self.seconds = seconds
        self.remaining = remaining
        self.exact = exact
        self.left = left


class AirflowSkipException(AirflowException):
    """Raised by a task that wants to be skipped."""


class AirflowFailException(AirflowException):
    """Raised by a task that wants to fail without a retry."""


class AirflowTaskTimeout(BaseException):
    """Raised when a task runs into its execution_timeout; no Exception, so that tasks do not swallow it."""


class AirflowTaskTerminated(BaseException):
    """Raised when a task is stopped from outside."""


class AirflowOptionalProviderFeatureException(AirflowException):
    pass


class AirflowInternalRuntimeError(BaseException):
    pass


class AirflowRuntimeError(Exception):
    """What Airflow 3's task SDK raises for a missing variable or a failed call."""

    def __init__(self, error: Any) -> None:
        super().__init__(str(error))
        self.error = error


class XComNotFound(AirflowException):
    def __init__(self, dag_id: str, task_id: str, key: str) -> None:
        super().__init__()
        self.dag_id = dag_id
        self.task_id = task_id
        self.key = key

    def __str__(self) -> str:
        return f'XComArg result from {self.task_id} at {self.dag_id} with key="{self.key}" is not found!'


class XComForMappingNotPushed(TypeError):
    def __str__(self) -> str:
        return "did not push XCom for task mapping"


class UnmappableXComTypePushed(TypeError):
    def __init__(self, value: Any, *values: Any) -> None:
        super().__init__(value, *values)

    def __str__(self) -> str:
        return f"unmappable return type {type(self.args[0]).__qualname__!r}"


class UnmappableXComLengthPushed(AirflowException):
    def __init__(self, value: Any, max_length: int) -> None:
        super().__init__(value)
        self.value = value
        self.max_length = max_length

    def __str__(self) -> str:
        return f"unmappable return value length: {len(self.value)} > {self.max_length}"


class AirflowDagCycleException(AirflowException):
    pass


class AirflowDagDuplicatedIdException(AirflowException):
    pass


class AirflowDagInconsistent(AirflowException):
    pass


class AirflowClusterPolicyViolation(AirflowException):
    pass


class AirflowTimetableInvalid(AirflowException):
    pass


class AirflowProviderDeprecationWarning(DeprecationWarning):
    """Deprecation in a provider."""


class RemovedInAirflow3Warning(DeprecationWarning):
    """Deprecation that Airflow 3 made real."""


class RemovedInAirflow4Warning(DeprecationWarning):
    """Deprecation that Airflow 4 will make real."""


class DagNotFound(AirflowNotFoundException):
    pass


class DagRunNotFound(AirflowNotFoundException):
    pass


class DuplicateTaskIdFound(AirflowException):
    pass


class NodeNotFound(ValueError):
    pass


class TaskAlreadyInTaskGroup(AirflowException):
    pass


class TaskNotFound(AirflowNotFoundException, NodeNotFound):
    pass


class TaskInstanceNotFound(AirflowNotFoundException):
    pass


class ParamValidationError(AirflowException):
    pass


class TaskDeferralError(AirflowException):
    pass


class TaskDeferred(BaseException):
    """Raised by a deferrable operator that hands over to a trigger."""

    def __init__(self, *, trigger: Any, method_name: str, kwargs: Any = None, timeout: Any = None) -> None:
        super().__init__()
        self.trigger = trigger
        self.method_name = method_name
        self.kwargs = kwargs
        self.timeout = timeout


class DownstreamTasksSkipped(AirflowException):
    """Raised by a branch or short circuit of Airflow 3 after its own work: these tasks are to be skipped."""

    def __init__(self, *, tasks: list[str]) -> None:
        super().__init__("tasks to skip: " + ", ".join(tasks))
        self.tasks = tasks


class AirflowFileParseException(AirflowException):
    pass


class AirflowInactiveAssetInInletOrOutletException(AirflowFailException):
    pass


class AirflowClusterPolicySkipDag(AirflowException):
    pass


class AirflowClusterPolicyError(AirflowException):
    pass


class AirflowWebServerTimeout(AirflowException):
    pass


class AirflowSecretsBackendAccessDenied(PermissionError):
    pass


class ConnectionNotUnique(AirflowException):
    pass


class VariableNotUnique(AirflowException):
    pass


class DagCodeNotFound(AirflowNotFoundException):
    pass


class DagRunAlreadyExists(AirflowBadRequest):
    pass


class DagFileExists(AirflowBadRequest):
    pass


class DagRunTriggerException(AirflowException):
    """Raised by a task that starts another DAG; its arguments are kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kwargs.get("trigger_dag_id", ""))
        self.__dict__.update(kwargs)


class FailFastDagInvalidTriggerRule(AirflowException):
    pass


class FailStopDagInvalidTriggerRule(AirflowException):
    pass


class NotMapped(Exception):
    pass


class PodMutationHookException(AirflowException):
    pass


class PodReconciliationError(AirflowException):
    pass


class PoolNotFound(AirflowNotFoundException):
    pass


class SerializationError(AirflowException):
    pass


class DeserializationError(Exception):
    pass


class DeserializingResultError(ValueError):
    pass


class TaskAlreadyRunningError(AirflowException):
    pass


class TaskAwaitingInput(BaseException):
    pass


class TaskDeferralTimeout(AirflowException):
    pass


class UnknownExecutorException(ValueError):
    pass


class UnmappableOperator(AirflowException):
    pass


class NoAvailablePoolSlot(AirflowException):
    pass


class DeprecatedImportWarning(FutureWarning):
    pass
