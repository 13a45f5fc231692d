"""episodes, and a rating for each of them"""

import uuid
from datetime import datetime

from alembic import op
import sqlalchemy as sa


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('unasked_at', _TIME, nullable=True))
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('asks', sa.JSON(none_as_null=True), nullable=True))
    episodes = op.create_table('episodes',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('agents', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('agent_id', sa.String(length=64), nullable=True),
    sa.Column('team_id', sa.String(length=32), nullable=True),
    sa.Column('intent', sa.String(length=64), nullable=True),
    sa.Column('started_at', _TIME, nullable=False),
    sa.Column('ended_at', _TIME, nullable=True),
    sa.Column('ended_by', sa.String(length=16), nullable=True),
    sa.Column('asked_at', _TIME, nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('conversation_id', 'number')
    )
    op.create_index('ix_episodes_ended_at', 'episodes', ['ended_at'])
    op.rename_table('ratings', 'conversation_ratings')
    if op.get_bind().dialect.name == 'postgresql':  # the new table wants the name of the old one's key
        op.execute('ALTER INDEX ratings_pkey RENAME TO conversation_ratings_pkey')
    ratings = op.create_table('ratings',
    sa.Column('episode_id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('score', sa.Integer(), nullable=True),
    sa.Column('solved', sa.Boolean(), nullable=True),
    sa.Column('nps', sa.Integer(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('rated_at', _TIME, nullable=False),
    sa.Column('corrected_at', _TIME, nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], ),
    sa.ForeignKeyConstraint(['episode_id'], ['episodes.id'], ),
    sa.PrimaryKeyConstraint('episode_id')
    )
    op.create_index('ix_ratings_conversation_id', 'ratings', ['conversation_id'])
    _tell_episodes_apart(episodes, ratings)
    op.drop_table('conversation_ratings')


def _tell_episodes_apart(episodes: sa.Table, ratings: sa.Table) -> None:
    """Make the episodes of the conversations so far from their last known times; each keeps its rating."""
    bind = op.get_bind()
    names = ('id', 'status', 'opened_at', 'queued_at', 'assigned_at', 'resolved_at', 'resolved_by', 'updated_at',
             'agent_id', 'agent_name', 'previous_agent', 'team_id')
    times = {name for name in names if name.endswith('_at')}
    columns = [sa.Column(name, _TIME if name in times else sa.String()) for name in names]
    conversations = sa.table('conversations', *columns)
    old = sa.table('conversation_ratings', sa.Column('conversation_id', sa.String()), sa.Column('score', sa.Integer()),
                   sa.Column('comment', sa.Text()), sa.Column('rated_at', _TIME))
    given = {row.conversation_id: row for row in bind.execute(sa.select(old))}
    found = bind.execute(sa.select(conversations)).all()
    for start in range(0, len(found), 500):
        parts, kept = [], []
        for row in found[start:start + 500]:
            of_one = _episodes_of(row)
            parts += of_one
            rating = given.get(row.id)
            if rating is not None:
                kept.append({'episode_id': of_one[-1]['id'], 'conversation_id': row.id, 'score': rating.score,
                             'comment': rating.comment, 'rated_at': rating.rated_at})
        op.bulk_insert(episodes, parts)
        if kept:
            op.bulk_insert(ratings, kept)


def _episodes_of(row: sa.Row) -> list[dict[str, object]]:
    over = row.status == 'resolved'
    end = (row.resolved_at or row.updated_at) if over else None
    ended_by = ('merged' if row.resolved_by == 'merged' else 'resolved') if over else None
    kinds: list[tuple[str, datetime]] = [('bot', row.opened_at)]
    if row.assigned_at is not None:
        kinds.append(('human', max(row.assigned_at, row.opened_at)))
        with_the_bot = row.agent_id is None and (row.status == 'bot' or row.resolved_by == 'idle')
        if with_the_bot:  # an agent gave it back; when is not kept
            kinds.append(('bot', max(row.assigned_at, row.opened_at)))
    made: list[dict[str, object]] = []
    for place, (kind, started_at) in enumerate(kinds):
        last = place == len(kinds) - 1
        agent_id = (row.agent_id or row.previous_agent) if kind == 'human' else None
        name = row.agent_name if agent_id == row.agent_id else None
        made.append({
            'id': uuid.uuid4().hex, 'conversation_id': row.id, 'number': place + 1, 'kind': kind,
            'agents': [{'id': agent_id, 'name': name or ''}] if agent_id else None, 'agent_id': agent_id,
            'team_id': row.team_id if kind == 'human' else None, 'intent': None, 'started_at': started_at,
            'ended_at': end if last else kinds[place + 1][1],
            'ended_by': ended_by if last else ('handoff' if kind == 'bot' else 'released'),
            'asked_at': end if last and ended_by == 'resolved' else None,
        })
    return made


def downgrade() -> None:
    op.rename_table('ratings', 'episode_ratings')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER INDEX ratings_pkey RENAME TO episode_ratings_pkey')
    op.create_table('ratings',
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('rated_at', _TIME, nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], ),
    sa.PrimaryKeyConstraint('conversation_id')
    )
    op.execute(
        'INSERT INTO ratings (conversation_id, score, comment, rated_at) '
        'SELECT r.conversation_id, r.score, r.comment, r.rated_at FROM episode_ratings r '
        'JOIN episodes e ON e.id = r.episode_id WHERE r.score IS NOT NULL AND e.number = '
        '(SELECT MAX(f.number) FROM episodes f JOIN episode_ratings g ON g.episode_id = f.id '
        'WHERE g.score IS NOT NULL AND f.conversation_id = r.conversation_id)'
    )
    op.drop_table('episode_ratings')
    op.drop_table('episodes')
    # Not in a batch, which would make the tables anew under the feet of those that refer to them.
    op.execute('ALTER TABLE messages DROP COLUMN asks')
    op.execute('ALTER TABLE contacts DROP COLUMN unasked_at')
