// A program with the stock OpenTelemetry SDK for Node: one trace of two spans and one log record.
// Where they go is said by OTEL_EXPORTER_OTLP_ENDPOINT alone: node sender.mjs
import { createRequire } from 'node:module';

const resolve = (name) => import(createRequire(`${process.cwd()}/`).resolve(`@opentelemetry/${name}`));
const { context, trace, SpanKind, SpanStatusCode } = await resolve('api');
const { BasicTracerProvider, BatchSpanProcessor } = await resolve('sdk-trace-base');
const { OTLPTraceExporter } = await resolve('exporter-trace-otlp-proto');
const { LoggerProvider, BatchLogRecordProcessor } = await resolve('sdk-logs');
const { OTLPLogExporter } = await resolve('exporter-logs-otlp-http');

const spans = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const exporter = new OTLPLogExporter();
let processor;
try {
  processor = new BatchLogRecordProcessor({ exporter });
} catch {
  processor = new BatchLogRecordProcessor(exporter);
}
const logs = new LoggerProvider({ processors: [processor] });

const tracer = spans.getTracer('sender');
const root = tracer.startSpan('GET /node', { kind: SpanKind.SERVER, attributes: { 'http.route': '/node' } });
const inside = trace.setSpan(context.active(), root);
const child = tracer.startSpan('query', { kind: SpanKind.CLIENT }, inside);
child.recordException(new TypeError('node has no cart'));
child.setStatus({ code: SpanStatusCode.ERROR });
child.end();
root.end();
logs.getLogger('sender').emit({ body: 'said by node', severityNumber: 17, severityText: 'ERROR', context: inside });
await spans.forceFlush();
await logs.forceFlush();
await spans.shutdown();
await logs.shutdown();
console.log(root.spanContext().traceId);
