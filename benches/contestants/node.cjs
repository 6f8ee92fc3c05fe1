// The queue-triggered job of README.md for Node.js: plain http, no packages.
'use strict';

const http = require('node:http');

const SCHEMA = 'sync-verification/v1';
const FIELDS = [['syncId', 'string'], ['namespaceId', 'string'], ['attempt', 'number']];

// Records of syncs by namespace. Every sync of the measured messages ended long ago, so there is none.
const records = new Map();

/** A text that the host quoted once, or twice. */
function unquoted(text) {
  const value = JSON.parse(text);
  return typeof value === 'string' ? JSON.parse(value) : value;
}

/** The message, or why it cannot be understood. */
function understood(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    return { problem: error.message };
  }
  if (message === null || typeof message !== 'object' || message.schema !== SCHEMA) {
    return { problem: 'the schema is not known' };
  }
  for (const [name, type] of FIELDS) {
    if (typeof message[name] !== type) return { problem: `${name} is missing or of another type` };
  }
  if (!message.namespaceId.startsWith('/subscriptions/')) return { problem: 'namespaceId is no ARM id' };
  return { message };
}

function syncPolicies(envelope) {
  const texts = unquoted(envelope.Data.requests);
  const ids = unquoted(envelope.Metadata.MessageIdArray);
  const byNamespace = new Map();
  const parked = [];
  let followUps = 0;
  texts.forEach((text, index) => {
    const { message, problem } = understood(text);
    if (problem) {
      parked.push({ id: ids[index], problem });
      return;
    }
    followUps += 1;
    const key = message.namespaceId.toLowerCase();
    let syncs = byNamespace.get(key);
    if (!syncs) byNamespace.set(key, (syncs = new Map()));
    syncs.set(`${message.syncId} ${message.attempt}`, message);
  });
  let open = 0;
  for (const [key, syncs] of byNamespace) {
    for (const message of syncs.values()) {
      const record = records.get(key);
      if (record && record.syncId === message.syncId && record.attempt === message.attempt) open += 1;
    }
  }
  return `0 requests, ${followUps} follow-ups, ${open} looks, 0 held, ${parked.length} parked`;
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

const server = http.createServer((request, response) => {
  const name = request.url.slice(1);
  if (request.method !== 'POST' || name !== 'sync-policies') return answer(response, 200, '{}');
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const invocation = request.headers['x-azure-functions-invocationid'];
    try {
      const summary = syncPolicies(JSON.parse(Buffer.concat(chunks)));
      console.log(JSON.stringify({ timestamp: new Date(), level: 'INFO', message: summary, invocation, function: name }));
      answer(response, 200, JSON.stringify({ Outputs: {}, Logs: [summary], ReturnValue: null }));
    } catch (error) {
      console.log(JSON.stringify({ timestamp: new Date(), level: 'ERROR', message: error.message, invocation }));
      answer(response, 500, '{}');
    }
  });
});

// The host keeps its connections; the default of five seconds would close them between two batches.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.FUNCTIONS_CUSTOMHANDLER_PORT), '127.0.0.1');
