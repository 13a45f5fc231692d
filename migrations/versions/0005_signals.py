"""sentiment of messages, the summary at handoff, and the rules of handing off"""

from alembic import op
import sqlalchemy as sa


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('handoff_rules',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rules', sa.JSON(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('author_id', sa.String(length=64), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('version')
    )
    op.add_column('conversations', sa.Column('sentiment', sa.Float(), nullable=True))
    op.add_column('conversations', sa.Column('sentiment_label', sa.String(length=8), nullable=True))
    op.add_column('conversations', sa.Column('handoff_summary', sa.JSON(), nullable=True))
    op.add_column('messages', sa.Column('sentiment', sa.Float(), nullable=True))
    op.add_column('messages', sa.Column('sentiment_label', sa.String(length=8), nullable=True))
    op.add_column('messages', sa.Column('anger', sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column('messages', 'anger')
    op.drop_column('messages', 'sentiment_label')
    op.drop_column('messages', 'sentiment')
    op.drop_column('conversations', 'handoff_summary')
    op.drop_column('conversations', 'sentiment_label')
    op.drop_column('conversations', 'sentiment')
    op.drop_table('handoff_rules')
