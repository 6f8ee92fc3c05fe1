// The workbook: policies and hubs, expiries, requests and budget on one page. What it asks is in workbook.json.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('ARM id of the Application Insights component.')
param componentId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'policysync')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'Policysync'
    serializedData: string(loadJsonContent('workbook.json'))
    sourceId: componentId
  }
}
