"""Who had to do with a conversation, how far roles and members see; sign-in through a provider; what sessions tell of themselves.

Revision ID: 0022
Revises: 0020
"""

import json

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('conversation_people',
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('staff_id', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id']),
    sa.PrimaryKeyConstraint('conversation_id', 'staff_id')
    )
    op.create_index('ix_conversation_people_staff', 'conversation_people', ['staff_id'])
    op.create_table('sight_rules',
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('sees', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('role')
    )
    op.add_column('staff', sa.Column('sees', sa.String(length=16)))
    op.add_column('staff', sa.Column('password_until', sa.DateTime(timezone=True)))
    op.add_column('staff_sessions', sa.Column('way', sa.String(length=8), nullable=False, server_default='password'))
    op.add_column('staff_sessions', sa.Column('ip', sa.String(length=64), nullable=False, server_default=''))
    op.add_column('staff_sessions', sa.Column('browser', sa.String(length=200), nullable=False, server_default=''))
    op.create_table('staff_identities',
    sa.Column('issuer', sa.String(length=255), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('staff_id', sa.String(length=32), nullable=False),
    sa.Column('linked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issuer', 'subject')
    )
    op.create_index('ix_staff_identities_staff_id', 'staff_identities', ['staff_id'])
    op.create_table('staff_used_states',
    sa.Column('state_hash', sa.String(length=64), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('state_hash')
    )
    op.create_index('ix_staff_used_states_used_at', 'staff_used_states', ['used_at'])
    # Until now nobody noted who had to do with what; it can be told from what they hold, wrote, and were mentioned in.
    op.execute("""
        INSERT INTO conversation_people (conversation_id, staff_id)
        SELECT id, agent_id FROM conversations WHERE agent_id IS NOT NULL
        UNION SELECT id, offered_to FROM conversations WHERE offered_to IS NOT NULL
        UNION SELECT id, previous_agent FROM conversations WHERE previous_agent IS NOT NULL
        UNION SELECT conversation_id, author_id FROM messages WHERE author = 'agent' AND author_id IS NOT NULL
        UNION SELECT conversation_id, staff_id FROM staff_notices
    """)
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, participants FROM conversations WHERE participants IS NOT NULL"))
    taking_part = {
        (row.id, one["agent_id"])
        for row in rows
        for one in (json.loads(row.participants) if isinstance(row.participants, str) else row.participants) or ()
    }
    for conversation_id, staff_id in sorted(taking_part):
        connection.execute(
            sa.text(
                "INSERT INTO conversation_people (conversation_id, staff_id) VALUES (:conversation_id, :staff_id)"
                " ON CONFLICT DO NOTHING"
            ),
            {"conversation_id": conversation_id, "staff_id": staff_id},
        )


def downgrade() -> None:
    op.drop_table('staff_used_states')
    op.drop_table('staff_identities')
    for name in ('browser', 'ip', 'way'):
        op.drop_column('staff_sessions', name)
    op.drop_column('staff', 'password_until')
    op.drop_column('staff', 'sees')
    op.drop_table('sight_rules')
    op.drop_table('conversation_people')
