"""teams, routing, offers, participants, callbacks, and what customers are worth"""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('conversations') as table:
        table.add_column(sa.Column('team_id', sa.String(length=32), nullable=True))
        table.add_column(sa.Column('required_skills', sa.JSON(), nullable=True))
        table.add_column(sa.Column('tier', sa.String(length=16), server_default='standard', nullable=False))
        table.add_column(sa.Column('sla_due_at', sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column('rank_at', sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column('previous_agent', sa.String(length=64), nullable=True))
        table.add_column(sa.Column('offered_to', sa.String(length=64), nullable=True))
        table.add_column(sa.Column('offered_name', sa.Text(), nullable=True))
        table.add_column(sa.Column('offered_until', sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column('asked', sa.JSON(), nullable=True))
        table.add_column(sa.Column('participants', sa.JSON(), nullable=True))
        table.add_column(sa.Column('told_place', sa.Integer(), nullable=True))
        table.add_column(sa.Column('told_seconds', sa.Integer(), nullable=True))
        table.add_column(sa.Column('told_at', sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column('callback_state', sa.String(length=8), nullable=True))
        table.add_column(sa.Column('callback_due', sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column('contact_point', sa.Text(), nullable=True))
    op.create_index('ix_conversations_offered', 'conversations', ['offered_to'])
    op.create_index(
        'ix_conversations_callback', 'conversations', ['updated_at'],
        sqlite_where=sa.text('callback_due'), postgresql_where=sa.text('callback_due'),
    )
    # What waits now waits on in the queue of everybody, in the order it had: who came back from an agent first.
    op.execute("UPDATE conversations SET team_id = 'default', rank_at = queued_at WHERE status = 'queued'")
    op.create_table('queue_stays',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('team_id', sa.String(length=32), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('agents', sa.Integer(), nullable=False),
    sa.Column('expected_seconds', sa.Integer(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(length=32), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_queue_stays_conversation_id'), 'queue_stays', ['conversation_id'])
    op.create_index('ix_queue_stays_team', 'queue_stays', ['team_id', 'queued_at'])
    with op.batch_alter_table('presence') as table:
        table.add_column(sa.Column('online_at', sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column('freed_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('staff') as table:
        table.add_column(sa.Column('skills', sa.JSON(), server_default='[]', nullable=False))
        table.add_column(sa.Column('capacity', sa.Integer(), nullable=True))
    with op.batch_alter_table('crm_customers') as table:
        table.add_column(sa.Column('tier', sa.String(length=10), server_default='standard', nullable=False))
    op.execute("UPDATE crm_customers SET tier = CASE level WHEN 'black' THEN 'vip' ELSE level END")
    op.create_table('teams',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('team_members',
    sa.Column('team_id', sa.String(length=32), nullable=False),
    sa.Column('staff_id', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('team_id', 'staff_id')
    )
    op.create_table('routing_rules',
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('team_id', sa.String(length=32), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('position')
    )


def downgrade() -> None:
    for table in ('routing_rules', 'team_members', 'teams'):
        op.drop_table(table)
    with op.batch_alter_table('crm_customers') as table:
        table.drop_column('tier')
    with op.batch_alter_table('staff') as table:
        table.drop_column('capacity')
        table.drop_column('skills')
    with op.batch_alter_table('presence') as table:
        for name in ('freed_at', 'taken_at', 'online_at'):
            table.drop_column(name)
    op.drop_table('queue_stays')
    op.drop_index('ix_conversations_callback', 'conversations')
    op.drop_index('ix_conversations_offered', 'conversations')
    with op.batch_alter_table('conversations') as table:
        for name in (
            'contact_point', 'callback_due', 'callback_state', 'told_at', 'told_seconds', 'told_place', 'participants',
            'asked', 'offered_until', 'offered_name', 'offered_to', 'previous_agent', 'rank_at', 'sla_due_at', 'tier',
            'required_skills', 'team_id',
        ):
            table.drop_column(name)
