// Sign-in with Entra ID before any HTTP function. The functions' keys stay required: they say which client it is, this says who.

import { signInType } from 'types.bicep'

@description('Name of the app.')
param appName string

@description('Who may come in.')
param signIn signInType

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName

  resource authentication 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        // Event Grid delivers here, with a key of the host and no sign-in.
        excludedPaths: ['/runtime/webhooks/EventGrid']
      }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: signIn.clientId
            // The app registration trusts our identity: a federated credential in the place of a secret.
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: {
            allowedAudiences: signIn.audiences
            defaultAuthorizationPolicy: { allowedApplications: union([signIn.clientId], signIn.callers) }
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}
