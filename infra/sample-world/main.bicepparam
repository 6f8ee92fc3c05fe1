using 'main.bicep'

param name = 'contoso-sample'
// Yours: az ad sp show --id 89d10474-74af-4874-99a7-c23c2f643083 --query id
param iotHubServicePrincipalId = '00000000-0000-0000-0000-000000000089'
