// Built-in roles, by what Azure calls them. The only place that knows their ids.
// Who gets which of them, where and why is a table in docs/deploy.md; the checks of the templates hold this folder to it.

@export()
var roles = {
  // The host keeps its locks, keys and checkpoints in containers that it makes itself; its documentation names this role.
  // Our records live in the same account, so no further role is needed for them.
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  // The deployment identity of Flex Consumption, with which the platform itself stores an uploaded package.
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  // The app on Elastic Premium, which runs from the package in its container; and each app whose configuration is a blob, on its container.
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  // The trigger of sync-policies.
  serviceBusDataReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  // Follow-ups, requests over HTTP, and parked messages.
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  // The trigger of assign-policy.
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  // Findings that are announced, by the output binding of report-policy-status.
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7'
  // Events of a private app on their way into its event hub, by the identity of an Event Grid topic.
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
  // Telemetry without a key.
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}
