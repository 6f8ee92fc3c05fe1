// Whom alerts tell.

@description('Name of the action group.')
@minLength(1)
@maxLength(260)
param name string

@description('Tags.')
param tags object

@description('Addresses that get a mail.')
param emails string[]

@secure()
@description('Webhooks, name to https address. Secure, since such an address often is a secret.')
param webhooks object

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'policysync'
    emailReceivers: [
      for email in emails: {
        name: email
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: [
      for webhook in items(webhooks): {
        name: webhook.key
        serviceUri: webhook.value
        useCommonAlertSchema: true
      }
    ]
  }
}

@description('ARM id.')
output id string = group.id
