// The roles of our own. `permissions.json` is written from the table in the code (crates/azure/src/permissions.rs), which has a
// row for every call that the app makes: the roles hold exactly those actions.
//
// Several, for two reasons. A role is assigned as a whole: what must be read across a subscription would otherwise bring the
// right to sync every namespace of that subscription, what is for groups without keys the right to read keys, and what is for the
// policies that are there the right to make others. And Azure
// refuses a definition whole (`InvalidActionOrNotAction`) when the provider does not know one of its actions, so what only one
// generation of the service has is in a role of that generation.

targetScope = 'subscription'

import { generationType } from 'types.bicep'

@description('Keeps the roles of several apps in one tenant apart: role names are unique there.')
@minLength(3)
param token string

@description('Ids of the roles to make (GUIDs), by the names that permissions.json has for them.')
param roleIds object

@description('Generations of the service that the app looks after.')
@minLength(1)
param generations generationType[]

@description('ARM ids of the subscriptions in which the roles can be assigned.')
param assignableScopes string[]

var table = loadJsonContent('permissions.json')
var rows = filter(table.permissions, row => row.generation == 'any' || contains(generations, row.generation))

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for own in filter(table.roles, own => contains(roleIds, own.role)): {
    name: roleIds[own.role]
    properties: {
      roleName: '${own.name} (${token})'
      description: own.description
      type: 'CustomRole'
      assignableScopes: assignableScopes
      permissions: [
        {
          actions: union(map(filter(rows, row => row.role == own.role && !row.data), row => row.action), [])
          dataActions: union(map(filter(rows, row => row.role == own.role && row.data), row => row.action), [])
        }
      ]
    }
  }
]
