// Alert rules: what a person has to know without looking.

@description('Prefix of the rules\' names.')
param namePrefix string

@description('Region of the component.')
param location string

@description('Tags.')
param tags object

@description('ARM id of the Application Insights component.')
param componentId string

@description('ARM id of the Service Bus namespace.')
param serviceBusId string

@description('Queue of sync requests.')
param requestQueue string

@description('Queue of messages that could not be understood.')
param parkedQueue string

@description('ARM id of the action group.')
param actionGroupId string

@description('Minutes without a report after which it is late. Twice the period of the report and some.')
@minValue(30)
param reportLateMinutes int

@description('Minutes without a reconcile after which it is late. Twice the period of the reconcile and some.')
@minValue(20)
param reconcileLateMinutes int

// A log alert looks back over `window` every `frequency`, and fires when the query has a row: once for each combination
// of `dimensions`.
var queries = [
  {
    name: 'finding'
    description: 'The status report announced a finding: see the status page, or RUNBOOK.md for each check.'
    severity: 2
    frequency: 'PT15M'
    window: 'PT1H'
    query: 'traces | where message has "finding raised" or message has "finding escalated" | parse message with * "finding " state ": " check " " level " " step ": " subject ": " *'
    dimensions: ['check', 'level', 'step', 'subject']
  }
  {
    name: 'report-late'
    description: 'No status report for ${reportLateMinutes} minutes: is the app running, and can it reach its storage?'
    severity: 1
    frequency: 'PT15M'
    window: 'PT6H'
    query: 'requests | where name == "report-policy-status" and success == true | summarize newest = max(timestamp) | where isnull(newest) or newest < ago(${reportLateMinutes}m)'
    dimensions: []
  }
  {
    name: 'timers-stopped'
    description: 'No reconcile for ${reconcileLateMinutes} minutes. After a deployment the timers of Flex Consumption can stop for good while the rest goes on (Azure/azure-functions-host 11828): RUNBOOK.md, alert timers-stopped.'
    severity: 1
    frequency: 'PT15M'
    window: 'PT6H'
    query: 'requests | where name == "reconcile-assignments" and success == true | summarize newest = max(timestamp) | where isnull(newest) or newest < ago(${reconcileLateMinutes}m)'
    dimensions: []
  }
  {
    name: 'invocation-failures'
    description: 'Invocations of a function failed again and again: the log of the invocation has the reason.'
    severity: 2
    frequency: 'PT5M'
    window: 'PT30M'
    query: 'requests | where success == false and toint(resultCode) !between (400 .. 499) | summarize failures = count() by name | where failures >= 3'
    dimensions: ['name']
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in queries: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Policysync: ${rule.name}'
      description: rule.description
      enabled: true
      severity: rule.severity
      scopes: [componentId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      // A condition stays one alert until it does not hold any more.
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            dimensions: map(rule.dimensions, name => { name: name, operator: 'Include', values: ['*'] })
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [actionGroupId] }
    }
  }
]

var queueMetrics = [
  {
    name: 'dead-letters'
    description: 'A request was tried ten times or waited a week: look at the dead-letter queue.'
    metric: 'DeadletteredMessages'
    queue: requestQueue
  }
  {
    name: 'parked'
    description: 'A message could not be understood: look at the parked queue, correct the sender.'
    metric: 'ActiveMessages'
    queue: parkedQueue
  }
]

resource queueAlerts 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for rule in queueMetrics: {
    name: '${namePrefix}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: rule.description
      enabled: true
      severity: 2
      scopes: [serviceBusId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: rule.name
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.ServiceBus/namespaces'
            metricName: rule.metric
            dimensions: [{ name: 'EntityName', operator: 'Include', values: [rule.queue] }]
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: [{ actionGroupId: actionGroupId }]
    }
  }
]
