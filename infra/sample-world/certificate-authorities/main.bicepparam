using 'main.bicep'

param name = 'contoso-sample-b'
