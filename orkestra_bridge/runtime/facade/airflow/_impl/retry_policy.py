"""Retry policies of Airflow 3.3, as data (`airflow/sdk/definitions/retry_policy.py`)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow._impl.module_loading import import_string

if TYPE_CHECKING:
    from datetime import timedelta

log = logging.getLogger("airflow.task")


class RetryAction(Enum):
    RETRY = "retry"
    FAIL = "fail"
    DEFAULT = "default"


@dataclass(frozen=True)
class RetryDecision:
    """What a policy decides about a failure."""

    action: RetryAction = RetryAction.DEFAULT
    retry_delay: timedelta | None = None
    reason: str | None = None

    @classmethod
    def fail(cls, reason: str | None = None) -> RetryDecision:
        return cls(RetryAction.FAIL, reason=reason)

    @classmethod
    def retry(cls, delay: timedelta | None = None, reason: str | None = None) -> RetryDecision:
        return cls(RetryAction.RETRY, delay, reason)

    @classmethod
    def default(cls) -> RetryDecision:
        return cls()


class RetryPolicy:
    """Base of the user's own policies."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> Any:
        """Return the decision about a failure; subclasses say which."""
        raise NotImplementedError(f"{type(self).__name__} must implement evaluate()")


@dataclass
class RetryRule:
    """What to do about exceptions of a class, given as such or by its dotted path, or of several."""

    exception: Any
    action: RetryAction = RetryAction.RETRY
    retry_delay: timedelta | None = None
    reason: str | None = None
    match_subclasses: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for a path without a dot."""
        for spec in self._specs:
            if isinstance(spec, str) and "." not in spec:
                raise ValueError(
                    "RetryRule exception string must be a dotted import path "
                    f"(e.g. 'builtins.ValueError'), got {spec!r}"
                )

    def matches(self, exception: BaseException) -> bool:
        """Return True if the rule is about this exception; a class that cannot be imported matches nothing."""
        kinds = tuple(filter(None, map(_class_of, self._specs)))
        return isinstance(exception, kinds) if self.match_subclasses else type(exception) in kinds

    @property
    def _specs(self) -> list[Any]:
        return self.exception if isinstance(self.exception, list) else [self.exception]


def _class_of(spec: Any) -> Any:
    if not isinstance(spec, str):
        return spec
    try:
        return import_string(spec)
    except (ImportError, AttributeError):
        log.warning("Could not import exception class %r, it will not match", spec)
        return None


class ExceptionRetryPolicy(RetryPolicy):
    """The first rule that matches decides."""

    def __init__(self, rules: Any = (), default: RetryAction = RetryAction.DEFAULT) -> None:
        self.rules = list(rules)
        self.default = default

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> Any:
        for rule in self.rules:
            if rule.matches(exception):
                reason = rule.reason or f"Matched rule for {type(exception).__name__}"
                return RetryDecision(rule.action, rule.retry_delay, reason)
        return RetryDecision(self.default)


class ChainRetryPolicy(RetryPolicy):
    """The first policy that does not leave it to the default decides."""

    def __init__(self, policies: Any = ()) -> None:
        self.policies = list(policies)

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> Any:
        for policy in self.policies:
            decision = policy.evaluate(exception, try_number, max_tries, context)
            if decision.action is not RetryAction.DEFAULT:
                return decision
        return RetryDecision()
