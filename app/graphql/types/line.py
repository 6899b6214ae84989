"""What the lines of a bill have in common, whether it is issued or still to come."""

import strawberry

from app.domain import invoice_lines
from app.domain.explanations import explain
from app.domain.invoice_lines import LineKind
from app.domain.line_inputs import inputs_of
from app.graphql.cost import holds
from app.graphql.enums import described_enum

described_enum(
    LineKind,
    description="The kinds of invoice line.",
    values={
        LineKind.BASE: "The base price of a plan for a month.",
        LineKind.BASE_REVERSAL: "The reversal of the base price that was billed before.",
        LineKind.CREDIT_KEPT: "A credit from an earlier credit note or write-off that is kept on the new price.",
        LineKind.ADD_ON: "The price of an add-on for a month, prorated in its first month.",
        LineKind.ADDITIONAL_LINE: "The price of an additional telephone line for a month.",
        LineKind.OVERAGE: "Live time above the plan's included minutes in the month that ended.",
        LineKind.PATCH: "Time of patched calls in the month that ended.",
        LineKind.IVR: "Automated (IVR) time of the month that ended.",
        LineKind.ADJUSTMENT: (
            "A correction for usage of an earlier month that was reported after its invoice. Negative for a credit."
        ),
        LineKind.CHARGE: "A one-time charge added by our staff, with their description.",
        LineKind.LATE_FEE: "A late fee for an overdue invoice.",
        LineKind.CORRECTION: "The reversal of a charge of an earlier invoice.",
        LineKind.TAX: "A tax on the charges, or its reversal.",
    },
)


@strawberry.type(description="One input of a line's calculation.")
class LineInput:
    """An input in words."""

    key: str = strawberry.field(
        description="Identifies the input for programs. It is the same on every line that has it."
    )
    name: str = strawberry.field(description="The name of the input, such as `Included live time`.")
    value: str = strawberry.field(description="The value with its unit, such as `100 min` or `$139.00`.")


@strawberry.type(description="How a line's amount was calculated.")
class LineExplanation:
    """Built from a line of the core with `LineExplanation.of`."""

    rule: int = strawberry.field(description="The number of the billing rule behind the line.")
    arithmetic: str = strawberry.field(description="The calculation in one sentence.")
    inputs: list[LineInput] = strawberry.field(directives=[holds(6)], description="The inputs of the calculation.")

    @classmethod
    def of(cls, line: invoice_lines.InvoiceLine) -> "LineExplanation":
        """Return the explanation of a line for clients."""
        inputs = [LineInput(key=key, name=name, value=value) for key, name, value in inputs_of(line)]
        return cls(rule=line.rule, arithmetic=explain(line).arithmetic, inputs=inputs)
