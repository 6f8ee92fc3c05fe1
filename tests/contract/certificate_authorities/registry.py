"""Generation B of the device registry has no published client yet: Microsoft's ARM pipeline, pager and poller speak it."""

from azure.core.exceptions import HttpResponseError
from azure.core.paging import ItemPaged
from azure.core.pipeline.policies import HeadersPolicy, RequestIdPolicy
from azure.core.polling import LROPoller
from azure.core.rest import HttpRequest
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.exceptions import ARMErrorFormat
from azure.mgmt.core.polling.arm_polling import ARMPolling

VERSION = "2026-11-01"


class Registry:
    def __init__(self, simulator):
        headers = HeadersPolicy({"authorization": "Bearer contract"})
        self.client = ARMPipelineClient(simulator.url, policies=[headers, RequestIdPolicy()])

    def send(self, method, path, body=None):
        url = path if path.startswith("http") else f"{path}?api-version={VERSION}"
        request = HttpRequest(method, self.client.format_url(url), json=body)
        answer = self.client._pipeline.run(request)
        if answer.http_response.status_code >= 400:
            raise HttpResponseError(response=answer.http_response, error_format=ARMErrorFormat)
        return answer

    def get(self, path):
        return self.send("GET", path).http_response.json()

    def list(self, path):
        def page(link):
            return self.get(link or path)

        return list(ItemPaged(page, lambda body: (body["nextLink"], body["value"])))

    def begin(self, method, path, body=None):
        """Starts an operation; its result is the resource, or nothing."""

        def read(answer):
            text = answer.http_response.text()
            return answer.http_response.json() if text else None

        return LROPoller(self.client, self.send(method, path, body), read, ARMPolling(0))
