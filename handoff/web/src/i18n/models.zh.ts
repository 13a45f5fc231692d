// The page of models: versions, tests, replay, what serves, limits, trying out.
export const models = {
  title: '模型',
  intro: '在这里训练、验证、上线机器人的理解能力。上线之前，客户不会感到任何变化。',
  tabs: { label: '分区', versions: '版本', tests: '测试', replay: '回放', live: '上线', limits: '阈值', trial: '试聊' },
}
