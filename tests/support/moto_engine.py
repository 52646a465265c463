"""A second, independent interpreter: moto's Step Functions engine with JSONata and Lambda plugged in.

DynamoDB is moto's own table, task tokens are moto's own; only how calls get there is replaced, for moto wants a server.

As shipped, moto fails every JSONata machine (it has no JSONata engine), passes data as text and waits in real
time. What is replaced here are private names of one moto version, so each is looked up first, and named if it
is not there.

Where it was found to differ from AWS: a Choice without a match and default is States.Runtime instead of
States.NoChoiceMatched; a condition that is not a boolean counts as false; Output sees what Assign sets in the
same state; States.ALL catches States.DataLimitExceeded.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any, final

from orkestra_bridge.local.interpreter import Execution, Json, StatesError

WRITTEN_FOR = "5.2.5"
ROOT = "moto.stepfunctions.parser."
ASL = ROOT + "asl."
TASK = ASL + "component.state.exec.state_task."
ERRORS = ASL + "component.common.error_name."
ARN = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/local"

Invoke = Callable[[Json], Json]
"""Answers the payload of a Lambda task, or raises StatesError; called from several threads."""


class MotoChangedError(AssertionError):
    """The installed moto is not built as this module expects."""


def run_with_moto(
    definition: Mapping[str, Json],
    data: Json,
    invoke: Invoke,
    *,
    name: str = "local",
    contain: Invoke | None = None,
    machines: Mapping[str, Mapping[str, Json]] | None = None,
) -> Execution:
    """Return how the execution ended. Waits and retry delays take no time; time limits are real ones.

    ``contain`` answers the environment of a container, by name, with what its task token is answered with; ``machines``
    are those that the machine may start, by ARN.

    Raises MotoChangedError: moto has moved something that is replaced here.
    """
    engine = _engine()
    run = _Run(invoke=invoke, contain=contain, machines=machines or {})
    environment = engine.environment(data, run, name=name)
    engine.parse(json.dumps(definition))[0].eval(environment)
    return engine.outcome(environment)


@final
@dataclass(slots=True, kw_only=True)
class _Run:
    """What all state machines of a run share; ``started`` has the ARNs and names of the executions it has started."""

    invoke: Invoke
    contain: Invoke | None
    machines: Mapping[str, Mapping[str, Json]]
    tables: set[str] = field(default_factory=set)
    started: set[tuple[str, str]] = field(default_factory=set)


class _Engine:
    """moto's classes, found and changed."""

    def __init__(self) -> None:
        self.parse = _find(ASL + "parse.asl_parser", "AmazonStateLanguageParser.parse")
        self.api = _find(ROOT + "api")
        self._environment = _find(ASL + "eval.environment", "Environment")
        self._history = _find(ASL + "eval.event.event_manager", "EventHistoryContext.of_program_start")
        self._details = _find(ASL + "eval.evaluation_details", "AWSExecutionDetails")
        self._event = _find(ASL + "eval.event.event_detail", "EventDetails")
        self._states = _find(ASL + "eval.program_state")
        self._failure = _find(ERRORS + "failure_event", "FailureEvent")
        self._failed = _find(ERRORS + "failure_event", "FailureEventException")
        self._named = _find(ERRORS + "custom_error_name", "CustomErrorName")
        self._known = _find(ERRORS + "states_error_name", "StatesErrorName")
        self._known_type = _find(ERRORS + "states_error_name_type", "StatesErrorNameType")
        self._success = _find(ASL + "eval.callback.callback", "CallbackOutcomeSuccess")
        self._failure_outcome = _find(ASL + "eval.callback.callback", "CallbackOutcomeFailure")
        self._used = _find(ASL + "eval.callback.callback", "CallbackNotifyConsumerError")
        self._plug_in_jsonata()
        for module, kind, answer in (
            ("lambda", "Lambda", self._invoked),
            ("ecs", "Ecs", self._started_container),
            ("sfn", "Sfn", self._started_execution),
            ("dynamodb", "DynamoDB", self._called),
            ("aws_sdk", "AwsSdk", self._called),
        ):
            self._plug_in(f"service.state_task_service_{module}", f"StateTaskService{kind}", answer)
        self._wait_for_executions()
        self._give_map_runs_their_input()
        self._take_no_time()
        self._parse_without_memory()

    def environment(self, data: Json, run: _Run, *, name: str, machine: str = "local") -> Any:
        """Return moto's environment for one execution; branches share its ``aws_execution_details``."""
        details = self._details(account="123456789012", region="us-east-1", role_arn=ROLE)
        details.run = run
        execution = {
            "Id": f"{ARN}:execution:{machine}:{name}",
            "Input": data,
            "Name": name,
            "RedriveCount": 0,
            "RoleArn": ROLE,
            "StartTime": "2030-01-01T00:00:00.000Z",
        }
        return self._environment(
            aws_execution_details=details,
            execution_type=self.api.StateMachineType.STANDARD,
            context={
                "Execution": execution,
                "StateMachine": {"Id": f"{ARN}:stateMachine:{machine}", "Name": machine},
            },
            event_history_context=self._history(),
            cloud_watch_logging_session=None,
            activity_store={},
        )

    def outcome(self, environment: Any) -> Execution:
        state = environment.program_state()
        if isinstance(state, self._states.ProgramTimedOut):
            return Execution(status="TIMED_OUT", error="States.Timeout")
        if isinstance(state, self._states.ProgramError):
            problem = state.error or {}
            return Execution(status="FAILED", error=problem.get("error"), cause=problem.get("cause"))
        return Execution(status="SUCCEEDED", output=environment.states.get_input())

    def _plug_in_jsonata(self) -> None:
        expression = _find(ASL + "component.common.string.string_expression", "StringJSONata")
        _require(expression, "_eval_body")
        _require(_find(ASL + "eval.states", "States"), "reset")
        engine = self

        def evaluate(self: Any, env: Any) -> None:
            try:
                env.stack.append(_value(self.expression, _bindings(env)))
            except StatesError as problem:
                raise engine.query_failure(env, problem.cause) from problem

        expression._eval_body = evaluate

    def query_failure(self, env: Any, cause: str | None) -> Exception:
        """Return moto's exception for States.QueryEvaluationError."""
        name = self._known(typ=self._known_type.StatesQueryEvaluationError)
        details = self._event(evaluationFailedEventDetails={"error": name.error_name, "cause": cause})
        kind = self.api.HistoryEventType.EvaluationFailed
        failure: Exception = self._failed(self._failure(env, name, kind, details))
        return failure

    def _plug_in(self, module: str, kind: str, answer: Callable[[Any, Any, Any], Any]) -> None:
        """Let the tasks of a service be answered here, from the service's object, the environment and the arguments."""
        service = _find(TASK + module, kind)
        _require(service, "_eval_service_task")

        def call(
            self: Any,
            env: Any,
            resource_runtime_part: Any,
            normalised_parameters: Any,
            state_credentials: Any,
        ) -> None:
            env.stack.append(answer(self, env, normalised_parameters))

        service._eval_service_task = call

    def _invoked(self, _service: Any, env: Any, parameters: Any) -> Any:
        try:
            answer = env.aws_execution_details.run.invoke(json.loads(parameters["Payload"]))
        except StatesError as problem:
            raise self.task_failure(env, problem) from problem
        return {"ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200}

    def _started_container(self, _service: Any, env: Any, parameters: Any) -> Any:
        """Let ECS start a thread for each container, which answers for the task token when it is done."""
        [override] = parameters["Overrides"]["ContainerOverrides"]
        variables = {pair["Name"]: pair["Value"] for pair in override["Environment"]}
        threading.Thread(target=self._run_container, args=(env, variables), daemon=True).start()
        return {"Tasks": [{"TaskArn": "task"}], "Failures": []}

    def _started_execution(self, _service: Any, env: Any, parameters: Any) -> Any:
        arn, name = parameters["StateMachineArn"], parameters["Name"]
        run = env.aws_execution_details.run
        if arn not in run.machines:
            raise self.task_failure(env, StatesError("StepFunctions.StateMachineDoesNotExistException"))
        if (arn, name) in run.started:
            raise self.task_failure(env, StatesError("StepFunctions.ExecutionAlreadyExistsException"))
        run.started.add((arn, name))
        return {"ExecutionArn": f"{arn}:{name}", "StartDate": "2030-01-01T00:00:00.000Z"}

    def _wait_for_executions(self) -> None:
        """Run what ``startExecution.sync:2`` has started when moto asks how it went: it has a thread to wait."""
        service = _find(TASK + "service.state_task_service_sfn", "StateTaskServiceSfn")
        _require(service, "_build_sync2_resolver")
        engine = self

        def resolver(
            self: Any,
            env: Any,
            resource_runtime_part: Any,
            normalised_parameters: Any,
            state_credentials: Any,
        ) -> Callable[[], Any]:
            started = env.stack.pop()
            return lambda: {**started, **engine._ended_execution(env, normalised_parameters)}

        service._build_sync2_resolver = resolver

    def _ended_execution(self, env: Any, parameters: Any) -> dict[str, Any]:
        run, arn = env.aws_execution_details.run, parameters["StateMachineArn"]
        given = json.loads(parameters["Input"])
        inner = self.environment(given, run, name=parameters["Name"], machine=arn)
        inner.callback_pool_manager = env.callback_pool_manager  # machines answer for tasks of each other
        self.parse(json.dumps(run.machines[arn]))[0].eval(inner)
        ended = self.outcome(inner)
        described = {
            "Input": given,
            "Name": parameters["Name"],
            "StateMachineArn": arn,
            "Status": ended.status,
        }
        if ended.status != "SUCCEEDED":
            cause = json.dumps({**described, "Error": ended.error, "Cause": ended.cause})
            raise self.task_failure(env, StatesError("States.TaskFailed", cause))
        return {**described, "Output": ended.output}

    def _run_container(self, env: Any, variables: dict[str, str]) -> None:
        token = variables["ORKESTRA_TASK_TOKEN"]
        try:
            answer = json.dumps(env.aws_execution_details.run.contain(variables))
        except StatesError as problem:
            outcome = self._failure_outcome(callback_id=token, error=problem.error, cause=problem.cause)
        else:
            outcome = self._success(callback_id=token, output=answer)
        endpoint = env.callback_pool_manager.get(token)
        _require(endpoint, "_heartbeat_endpoint")
        while (
            endpoint._heartbeat_endpoint is None
        ):  # an answer before that would only be seen after a heartbeat
            time.sleep(0.01)
        env.callback_pool_manager.notify(callback_id=token, outcome=outcome)

    def _called(self, service: Any, env: Any, parameters: Any) -> Any:
        """Let DynamoDB's and Step Functions' integrations call moto in this process."""
        action = service._get_boto_service_action()
        if action == "send_task_success":
            return self._answered(env, parameters)
        return self._on_table(env, action, parameters)

    def _give_map_runs_their_input(self) -> None:
        """Show the executions of a distributed Map their own input in the context object: moto shows the run's."""
        place = "component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker"
        worker = _find(ASL + place, "DistributedItemProcessorWorker")
        _require(worker, "_eval_input")
        select = worker._eval_input

        def evaluate(self: Any, env_frame: Any) -> None:
            data = env_frame.states.context_object.context_object_data
            # a worker has the same frame for all of its executions
            self.around = data["Execution"] = getattr(self, "around", data["Execution"])
            select(self, env_frame=env_frame)
            data["Execution"] = {**self.around, "Input": env_frame.states.get_input()}

        worker._eval_input = evaluate

    def _answered(self, env: Any, parameters: Any) -> dict[str, Any]:
        outcome = self._success(callback_id=parameters["TaskToken"], output=parameters["Output"])
        try:
            notified = env.callback_pool_manager.notify(callback_id=parameters["TaskToken"], outcome=outcome)
        except self._used as problem:
            raise self.task_failure(env, StatesError("Sfn.TaskTimedOutException")) from problem
        if not notified:
            raise self.task_failure(env, StatesError("Sfn.InvalidTokenException"))
        return {}

    def _on_table(self, env: Any, action: str, parameters: Any) -> Any:
        with _TABLES:
            client = _dynamodb()
            tables, name = env.aws_execution_details.run.tables, parameters["TableName"]
            if name not in tables:
                _new_table(client, name)
                tables.add(name)
            answer = getattr(client, action)(**parameters)
        answer.pop("ResponseMetadata")
        return answer

    def task_failure(self, env: Any, problem: StatesError) -> Exception:
        """Return moto's exception for a task that failed."""
        details = self._event(
            taskFailedEventDetails={
                "error": problem.error,
                "cause": problem.cause or "",
                "resource": "invoke",
                "resourceType": "lambda",
            }
        )
        kind = self.api.HistoryEventType.TaskFailed
        known = next((each for each in self._known_type if each.to_name() == problem.error), None)
        name = self._named(problem.error) if known is None else self._known(typ=known)
        failure: Exception = self._failed(self._failure(env, name, kind, details))
        return failure

    def _take_no_time(self) -> None:
        retrier = _find(ASL + "component.common.retry.retrier_decl")
        _require(retrier, "time")
        retrier.time = SimpleNamespace(sleep=lambda _seconds: None)
        wait = _find(ASL + "component.state.wait.wait_function.wait_function", "WaitFunction")
        _require(wait, "_wait_interval")
        wait._wait_interval = lambda self, env, wait_seconds: None

    def _parse_without_memory(self) -> None:
        """Give each parser its own list: moto's is shared, one bad definition spoils all later ones."""
        preprocessor = _find(ASL + "parse.preprocessor", "Preprocessor")
        _require(preprocessor, "_query_language_per_scope")

        def initialise(self: Any) -> None:
            self._query_language_per_scope = []

        preprocessor.__init__ = initialise


_TABLES = threading.Lock()
"""moto's tables are not made for several threads at a time."""


@cache
def _dynamodb() -> Any:
    """Return a client whose calls moto answers, for as long as this process lives."""
    import boto3
    from moto import mock_aws

    mock_aws().start()
    return boto3.client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )


def _new_table(client: Any, name: str) -> None:
    """Make a table as the template describes it, instead of the one of an earlier execution."""
    if name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


_LOCK = threading.Lock()


def _engine() -> _Engine:
    with _LOCK:
        return _only_engine()


@cache
def _only_engine() -> _Engine:
    return _Engine()


def _find(module: str, path: str = "") -> Any:
    try:
        found = importlib.import_module(module)
    except ImportError as problem:
        raise MotoChangedError(_changed(module)) from problem
    for part in path.split(".") if path else []:
        _require(found, part)
        found = getattr(found, part)
    return found


def _require(owner: Any, name: str) -> None:
    if not hasattr(owner, name):
        raise MotoChangedError(_changed(f"{getattr(owner, '__name__', owner)}.{name}"))


def _changed(name: str) -> str:
    from importlib.metadata import version

    return f"moto {version('moto')} has no {name}; this module was written for moto {WRITTEN_FOR}"


def _bindings(env: Any) -> dict[str, Any]:
    store = env.variable_store
    _require(store, "_outer_scope")
    _require(store, "_inner_scope")
    _require(env.states, "_states_data")
    states = {
        key: value
        for key, value in env.states._states_data.items()
        if value is not None or key not in ("result", "errorOutput")
    }
    return {
        key: _null(value)
        for key, value in {**store._outer_scope, **store._inner_scope, "states": states}.items()
    }


def _null(value: Any) -> Any:
    from jsonata import Utils

    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _null(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_null(item) for item in value]
    return value


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    from jsonata import Jsonata

    parsed = Jsonata(expression)
    parsed.set_output_convert_nulls(False)
    parsed.register_lambda("parse", json.loads)
    parsed.register_lambda(
        "partition", lambda items, size: [items[i : i + size] for i in range(0, len(items), size)]
    )
    parsed.register_lambda(
        "range", lambda first, last, step: list(range(first, last + (1 if step > 0 else -1), step))
    )
    return parsed


_JSONATA = threading.Lock()
"""jsonata-python keeps the evaluation's state in the expression, and moto evaluates in many threads."""


def _value(expression: str, bindings: Mapping[str, Any]) -> Any:
    try:
        with _JSONATA:
            value = _compiled(expression).evaluate(None, bindings)
        if value is not None:
            return json.loads(json.dumps(value, default=_null_only))
    except Exception as problem:
        cause = f"The JSONata expression '{expression}' failed: {problem}"
        raise StatesError("States.QueryEvaluationError", cause) from problem
    cause = f"The JSONata expression '{expression}' returned nothing (undefined)."
    raise StatesError("States.QueryEvaluationError", cause)


def _null_only(value: Any) -> None:
    from jsonata import Utils

    if value is not Utils.NULL_VALUE:
        raise TypeError(f"{type(value).__name__} is not JSON")
