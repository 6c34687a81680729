"""Variables bound to each other by one-way constraints, with strengths: a plan is made, and followed on every change."""


class Variable:
    def __init__(self, value):
        self.value = value
        self.constraints = []
        self.strength = 0
        self.source = None


class Constraint:
    def __init__(self, strength):
        self.strength = strength
        self.chosen = None

    def options(self):
        """Triples: what to execute, its input, its output."""
        raise NotImplementedError

    def satisfy(self):
        for rule, source, target in self.options():
            strength = self.strength if source is None else min(self.strength, source.strength)
            if strength > target.strength:
                replaced, target.source, target.strength = target.source, self, strength
                self.chosen = rule, source, target
                return replaced
        return None

    def execute(self):
        rule, source, target = self.chosen
        target.value = rule(None if source is None else source.value)


class Equal(Constraint):
    def __init__(self, one, other, strength):
        super().__init__(strength)
        self.one, self.other = one, other
        for variable in (one, other):
            variable.constraints.append(self)

    def options(self):
        yield (lambda value: value), self.one, self.other
        yield (lambda value: value), self.other, self.one


class Scaled(Equal):
    factor = 3

    def options(self):
        yield (lambda value: value * self.factor), self.one, self.other
        yield (lambda value: value // self.factor), self.other, self.one


class Edit(Constraint):
    def __init__(self, variable, strength):
        super().__init__(strength)
        self.variable = variable
        self.wanted = 0

    def options(self):
        yield (lambda _: self.wanted), None, self.variable


def plan_from(edit):
    """The constraints to execute, in order, when the edited variable changes."""
    edit.satisfy()
    plan, marked, todo = [edit], {edit}, [edit.variable]
    while todo:
        variable = todo.pop()
        for constraint in variable.constraints:
            if constraint in marked:
                continue
            marked.add(constraint)
            constraint.satisfy()
            if constraint.chosen is not None and constraint.chosen[1] is variable:
                plan.append(constraint)
                todo.append(constraint.chosen[2])
    return plan


def main():
    result = 0
    for length in range(100, 400, 25):
        chain = [Variable(i) for i in range(length)]
        for i in range(length - 1):
            (Scaled if i % 50 == 0 else Equal)(chain[i], chain[i + 1], 5)
        edit = Edit(chain[0], 9)
        plan = plan_from(edit)
        for wanted in range(400):
            edit.wanted = wanted
            for constraint in plan:
                constraint.execute()
            result += chain[-1].value
    return result
