"""Versions of models, the jobs that make and judge them, what serves, and what each conversation runs on.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('model_versions',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('model_id', sa.String(length=64)),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64)),
    sa.Column('by_name', sa.Text()),
    sa.Column('note', sa.Text(), nullable=False, server_default=''),
    sa.Column('data_hash', sa.String(length=64), nullable=False),
    sa.Column('made', sa.JSON(), nullable=False),
    sa.Column('metrics', sa.JSON()),
    sa.Column('tracked_as', sa.Text()),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_index('ix_model_versions_model_id', 'model_versions', ['model_id'])
    op.create_table('learning_jobs',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('model', sa.String(length=80)),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('progress', sa.JSON()),
    sa.Column('result', sa.JSON()),
    sa.Column('problem', sa.Text()),
    sa.Column('attempts', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('bot', sa.Text()),
    sa.Column('by_id', sa.String(length=64), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True)),
    sa.Column('ended_at', sa.DateTime(timezone=True)),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_learning_jobs_model', 'learning_jobs', ['model'])
    op.create_index('ix_learning_jobs_state', 'learning_jobs', ['state', 'created_at'])
    op.create_table('model_serving',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('live', sa.String(length=80), nullable=False),
    sa.Column('candidate', sa.String(length=80)),
    sa.Column('share', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('model_changes',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.String(length=64)),
    sa.Column('by_name', sa.Text()),
    sa.Column('what', sa.String(length=16), nullable=False),
    sa.Column('live', sa.String(length=80), nullable=False),
    sa.Column('before', sa.String(length=80)),
    sa.Column('candidate', sa.String(length=80)),
    sa.Column('share', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('replay_id', sa.String(length=32)),
    sa.Column('note', sa.Text(), nullable=False, server_default=''),
    sa.PrimaryKeyConstraint('seq')
    )
    op.add_column('conversations', sa.Column('model', sa.String(length=80)))
    op.add_column('episodes', sa.Column('model', sa.String(length=80)))


def downgrade() -> None:
    op.drop_column('episodes', 'model')
    op.drop_column('conversations', 'model')
    for table in ('model_changes', 'model_serving', 'learning_jobs', 'model_versions'):
        op.drop_table(table)
