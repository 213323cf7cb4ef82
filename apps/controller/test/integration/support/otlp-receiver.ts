import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** An attribute value of OTLP/JSON. */
type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: number | string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values?: readonly OtlpValue[] } };

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly OtlpAttribute[] }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

export type AttributeValue = string | number | boolean | readonly unknown[];

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly events: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, AttributeValue>>;
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
}

/** A collector that keeps what it is sent over OTLP/HTTP as JSON. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly metricNames: Set<string> = new Set();
  /** Every request body, as text. */
  readonly bodies: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#receive(request.url, Buffer.concat(chunks).toString());
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get endpoint(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new TypeError('The receiver does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #receive(path: string | undefined, text: string): void {
    this.bodies.push(text);
    if (path === '/v1/traces') {
      const { resourceSpans } = JSON.parse(text) as {
        resourceSpans: readonly { scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }[];
      };
      for (const { scopeSpans } of resourceSpans) {
        for (const { spans } of scopeSpans) this.spans.push(...spans.map(received));
      }
    }
    if (path === '/v1/metrics') {
      const { resourceMetrics } = JSON.parse(text) as {
        resourceMetrics: readonly { scopeMetrics: readonly { metrics: readonly { name: string }[] }[] }[];
      };
      for (const { scopeMetrics } of resourceMetrics) {
        for (const { metrics } of scopeMetrics) for (const { name } of metrics) this.metricNames.add(name);
      }
    }
  }
}

function received(span: OtlpSpan): ReceivedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || undefined,
    name: span.name,
    startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
    endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name, attributes }) => ({
      name,
      attributes: attributesOf(attributes),
    })),
    links: span.links ?? [],
    failed: span.status?.code === 2,
  };
}

function attributesOf(attributes: readonly OtlpAttribute[] = []): Readonly<Record<string, AttributeValue>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: OtlpValue): AttributeValue {
  if ('arrayValue' in value) return (value.arrayValue.values ?? []).map(valueOf);
  if ('intValue' in value) return Number(value.intValue);
  const [first] = Object.values(value);
  return first as AttributeValue;
}
