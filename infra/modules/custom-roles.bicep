// The two roles of our own. `permissions.json` is written from the table in the code (crates/azure/src/permissions.rs),
// which has a row for every call that the app makes: the roles hold exactly those actions.
//
// Two, since a role is assigned as a whole: what must be read across a subscription would otherwise bring the right to sync
// every namespace of that subscription.

targetScope = 'subscription'

@description('Keeps the roles of several apps in one tenant apart: role names are unique there.')
@minLength(3)
param token string

@description('Id of the role for namespaces, hubs and provisioning services (GUID).')
param resourceRoleId string

@description('Id of the role for subscriptions (GUID).')
param subscriptionRoleId string

@description('ARM ids of the subscriptions in which the roles can be assigned.')
param assignableScopes string[]

var permissions = loadJsonContent('permissions.json').permissions
var ofResources = filter(permissions, row => row.role == 'resources')
var ofSubscriptions = filter(permissions, row => row.role == 'subscription')

resource resourceRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: resourceRoleId
  properties: {
    roleName: 'Policysync (${token})'
    description: 'What Policysync does with the namespaces, IoT hubs and provisioning services that it looks after.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: union(map(filter(ofResources, row => !row.data), row => row.action), [])
        dataActions: union(map(filter(ofResources, row => row.data), row => row.action), [])
      }
    ]
  }
}

resource subscriptionRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: subscriptionRoleId
  properties: {
    roleName: 'Policysync finder (${token})'
    description: 'What Policysync reads across a subscription: where hubs and provisioning services are, and how operations go.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: union(map(filter(ofSubscriptions, row => !row.data), row => row.action), [])
        dataActions: union(map(filter(ofSubscriptions, row => row.data), row => row.action), [])
      }
    ]
  }
}
