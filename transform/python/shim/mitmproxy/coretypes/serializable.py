"""Objects that can be made plain data and be made from it again."""


class Serializable:
    """The base of what has a state: plain data that says all of it."""

    __slots__ = ()

    @classmethod
    def from_state(cls, state):
        """Returns an object that has the state."""
        raise NotImplementedError("%s.from_state" % cls.__name__)

    def get_state(self):
        """Returns the state. It shares nothing that can be changed with the object."""
        raise NotImplementedError("%s.get_state" % type(self).__name__)

    def set_state(self, state):
        """Makes the object what the state says."""
        raise NotImplementedError("%s.set_state" % type(self).__name__)

    def copy(self):
        """Returns an object of the same state, but for an id, which is a new one."""
        state = self.get_state()
        if isinstance(state, dict) and "id" in state:
            from mitmproxy.flow import new_id

            state["id"] = new_id()
        return self.from_state(state)
