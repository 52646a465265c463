"""The AWS services that state machines call besides Lambda, as far as `convert` emits such calls.

Input: a `TaskCall`. Output: the result that Step Functions would hand on, or a `StatesError` with the name that it
gives to the service's exception. They live as long as the process; nothing here is on the disk or the network.
"""
