"""Alerts and digests, and what is sent of them.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alert_rules',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('rules', sa.JSON(), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('alerts',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('span', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('calm_since', sa.DateTime(timezone=True)),
    sa.Column('closed_at', sa.DateTime(timezone=True)),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('whole', sa.Integer(), nullable=False),
    sa.Column('usual', sa.Float(), nullable=False),
    sa.Column('chance', sa.Float(), nullable=False),
    sa.Column('windows', sa.Integer(), nullable=False),
    sa.Column('contributions', sa.JSON(), nullable=False),
    sa.Column('examples', sa.JSON(), nullable=False),
    sa.Column('expected', sa.Boolean(), nullable=False),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True)),
    sa.Column('by_id', sa.String(length=64)),
    sa.Column('by_name', sa.Text()),
    sa.Column('note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_alerts_state', 'alerts', ['state', 'opened_at'])
    op.create_index('ix_alerts_thing', 'alerts', ['kind', 'key', 'span', 'opened_at'])
    op.create_table('failed_sign_ins',
    sa.Column('minute', sa.DateTime(timezone=True), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('minute')
    )
    op.create_table('report_posts',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('about', sa.String(length=16), nullable=False),
    sa.Column('about_id', sa.String(length=32), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True)),
    sa.Column('error', sa.String(length=200)),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_report_posts_about_id', 'report_posts', ['about_id'])
    op.create_index('ix_report_posts_due', 'report_posts', ['state', 'due_at'])
    op.create_table('digests',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('rhythm', sa.String(length=8), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('clock', sa.String(length=5), nullable=False),
    sa.Column('language', sa.String(length=2), nullable=False),
    sa.Column('metrics', sa.JSON(), nullable=False),
    sa.Column('way', sa.String(length=8), nullable=False),
    sa.Column('addresses', sa.JSON(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_day', sa.String(length=10)),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('digest_sendings',
    sa.Column('id', sa.String(length=90), nullable=False),
    sa.Column('digest_id', sa.String(length=32), nullable=False),
    sa.Column('way', sa.String(length=8), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('since', sa.String(length=10), nullable=False),
    sa.Column('until', sa.String(length=10), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True)),
    sa.Column('error', sa.String(length=200)),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_digest_sendings_due', 'digest_sendings', ['state', 'due_at'])
    op.create_index('ix_digest_sendings_of', 'digest_sendings', ['digest_id', 'created_at'])
    felt = sa.text('sentiment_label IS NOT NULL')
    op.create_index('ix_messages_felt', 'messages', ['created_at'], sqlite_where=felt, postgresql_where=felt)


def downgrade() -> None:
    op.drop_index('ix_messages_felt', 'messages')
    for name in ('digest_sendings', 'digests', 'report_posts', 'failed_sign_ins', 'alerts', 'alert_rules'):
        op.drop_table(name)
