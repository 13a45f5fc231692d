"""The trainers' inbox: messages that went wrong, their groups and vectors, and what was decided about them.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mishap_groups',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('medoid', sa.String(length=32), nullable=False),
    sa.Column('centre', sa.LargeBinary(), nullable=False),
    sa.Column('weight', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('changed_at', sa.DateTime(timezone=True)),
    sa.Column('changed_by', sa.Text()),
    sa.Column('change', sa.String(length=16)),
    sa.Column('done_at', sa.DateTime(timezone=True)),
    sa.Column('again_at', sa.DateTime(timezone=True)),
    sa.Column('again_model', sa.String(length=80)),
    sa.Column('merged_into', sa.String(length=32)),
    sa.Column('messages', sa.Integer(), nullable=False, server_default='1'),
    sa.Column('contacts', sa.Integer(), nullable=False, server_default='1'),
    sa.Column('cost', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('upto', sa.BigInteger(), nullable=False, server_default='0'),
    sa.Column('figures', sa.JSON()),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_mishap_groups_state', 'mishap_groups', ['state', 'last_at'])
    op.create_table('mishaps',
    sa.Column('message_id', sa.String(length=32), nullable=False),
    sa.Column('group_id', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('episode_id', sa.String(length=32)),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reasons', sa.Integer(), nullable=False),
    sa.Column('intent', sa.String(length=80)),
    sa.Column('confidence', sa.Float()),
    sa.Column('answer_limit', sa.Float()),
    sa.Column('clarify_limit', sa.Float()),
    sa.Column('route', sa.String(length=80)),
    sa.Column('model_id', sa.String(length=80)),
    sa.Column('rating', sa.Integer()),
    sa.Column('handed_off', sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column('arrived', sa.BigInteger(), nullable=False),
    sa.Column('decision_id', sa.String(length=32)),
    sa.Column('changed_at', sa.DateTime(timezone=True)),
    sa.Column('changed_by', sa.Text()),
    sa.ForeignKeyConstraint(['group_id'], ['mishap_groups.id']),
    sa.PrimaryKeyConstraint('message_id')
    )
    op.create_index('ix_mishaps_group', 'mishaps', ['group_id', 'state', 'at'])
    op.create_index('ix_mishaps_at', 'mishaps', ['at'])
    op.create_index('ix_mishaps_conversation_id', 'mishaps', ['conversation_id'])
    op.create_index('ix_mishaps_contact_id', 'mishaps', ['contact_id'])
    op.create_table('mishap_vectors',
    sa.Column('message_id', sa.String(length=32), nullable=False),
    sa.Column('encoder', sa.String(length=80), nullable=False),
    sa.Column('vector', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['mishaps.message_id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id')
    )
    op.create_table('mishap_decisions',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('group_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('intent', sa.String(length=80)),
    sa.Column('examples', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('edit_id', sa.Text()),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True)),
    sa.Column('undone_by', sa.Text()),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_mishap_decisions_group_id', 'mishap_decisions', ['group_id'])
    op.create_index('ix_mishap_decisions_kind', 'mishap_decisions', ['kind', 'state', 'at'])
    op.create_table('learning_positions',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )


def downgrade() -> None:
    for name in ('learning_positions', 'mishap_decisions', 'mishap_vectors', 'mishaps', 'mishap_groups'):
        op.drop_table(name)
