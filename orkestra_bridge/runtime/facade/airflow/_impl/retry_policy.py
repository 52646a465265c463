"""Retry policies of Airflow 3.3, as data (`airflow/sdk/definitions/retry_policy.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta


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

    def matches(self, exception: BaseException) -> bool:
        """Return True if the rule is about this exception."""
        specs = self.exception if isinstance(self.exception, list) else [self.exception]
        return any(self._is(exception, spec) for spec in specs)

    def _is(self, exception: BaseException, spec: Any) -> bool:
        if isinstance(spec, str):
            kinds = type(exception).__mro__ if self.match_subclasses else (type(exception),)
            return any(f"{kind.__module__}.{kind.__qualname__}" == spec for kind in kinds)
        return isinstance(exception, spec) if self.match_subclasses else type(exception) is spec


class ExceptionRetryPolicy(RetryPolicy):
    """The first rule that matches decides."""

    def __init__(self, rules: Any = (), default: RetryAction = RetryAction.DEFAULT) -> None:
        self.rules = list(rules)
        self.default = default

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> Any:
        for rule in self.rules:
            if rule.matches(exception):
                return RetryDecision(rule.action, rule.retry_delay, rule.reason)
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
