"""Turns in which something the bot tried did not work, read from the beginning; one alert for what rises, in whichever windows.

Revision ID: 0035
Revises: 0034
"""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

alerts = sa.table(
    'alerts',
    *(sa.column(name) for name in ('id', 'kind', 'key', 'span', 'state', 'part', 'whole', 'usual', 'windows')),
    sa.column('since', sa.DateTime(timezone=True)),
    sa.column('updated_at', sa.DateTime(timezone=True)),
    sa.column('closed_at', sa.DateTime(timezone=True)),
    sa.column('stands_out', sa.JSON()),
)


def upgrade() -> None:
    op.add_column('fact_turns', sa.Column('failed', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index('ix_fact_turns_failed', 'fact_turns', ['day', 'intent'],
    sqlite_where=sa.text('failed = 1'),
    postgresql_where=sa.text('failed'),
    )
    op.execute('DELETE FROM report_positions')  # so that the follower makes every fact anew, with what failed
    op.add_column('alerts', sa.Column('stands_out', sa.JSON(), server_default='[]', nullable=False))
    _one_each(op.get_bind())


def _one_each(connection: sa.Connection) -> None:
    """Each alert says in which window it stands out; of two that go on about the same, that of the day is over."""
    rows = connection.execute(sa.select(alerts)).mappings().all()
    within_the_hour = {(row['kind'], row['key']) for row in rows if row['state'] != 'closed' and row['span'] == 'hour'}
    for row in rows:
        window = {name: row[name] for name in ('span', 'part', 'whole', 'usual', 'windows')}
        window |= {'since': _utc(row['since']), 'until': _utc(row['updated_at'])}
        values = {'stands_out': [window]}
        twice = row['state'] != 'closed' and row['span'] == 'day' and (row['kind'], row['key']) in within_the_hour
        if twice:
            values |= {'state': 'closed', 'closed_at': row['updated_at']}
        connection.execute(sa.update(alerts).where(alerts.c.id == row['id']).values(values))


def _utc(at):
    """SQLite gives times back without their zone, which is UTC."""
    return (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def downgrade() -> None:
    op.drop_column('alerts', 'stands_out')
    op.drop_index('ix_fact_turns_failed', 'fact_turns')
    op.drop_column('fact_turns', 'failed')
