"""Proofs that link addresses, pairs that stay parted, and signatures of sites that were used.

Revision ID: 0012
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("addresses", sa.Column("retired_at", sa.DateTime(timezone=True)))
    op.create_table(
        "proofs",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=128), nullable=False),
        sa.Column("contact", sa.String(length=512), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("proved_by", sa.String(length=16), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("channel", "account", "contact"),
    )
    op.create_index("ix_proofs_customer_id", "proofs", ["customer_id"])
    op.create_index("ix_proofs_link_due_at", "proofs", ["link_due_at"])
    op.create_table(
        "link_refusals",
        sa.Column("one", sa.String(length=720), nullable=False),
        sa.Column("other", sa.String(length=720), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("one", "other"),
    )
    op.create_index("ix_link_refusals_other", "link_refusals", ["other"])
    op.create_table(
        "used_signatures",
        sa.Column("signature_hash", sa.String(length=64), nullable=False),
        sa.Column("visitor", sa.String(length=512), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("signature_hash"),
    )


def downgrade() -> None:
    op.drop_table("used_signatures")
    op.drop_index("ix_link_refusals_other", "link_refusals")
    op.drop_table("link_refusals")
    op.drop_index("ix_proofs_link_due_at", "proofs")
    op.drop_index("ix_proofs_customer_id", "proofs")
    op.drop_table("proofs")
    op.drop_column("addresses", "retired_at")
