using 'main.bicep'

param name = 'contoso-sample-b'
// One after the other: resources, provisioning-service, hubs, certificate-authorities.
param stage = readEnvironmentVariable('STAGE', 'certificate-authorities')
