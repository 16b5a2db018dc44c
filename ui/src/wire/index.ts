/** The messages that the page reads, under the names of `chimney.wire`. `api.ts` is made by `make openapi`. */
import type { components } from './api';

type Schemas = components['schemas'];

export type { Gap, Heartbeat, Hello, Page, Problem } from './stream';
export type ActAnswer = Schemas['ActAnswer'];
export type AuditedAct = Schemas['AuditedAct'];
export type Bug = Schemas['Bug'];
export type CachedKey = Schemas['CachedKey'];
export type CacheStats = Schemas['CacheStats'];
export type Change = Schemas['Change'];
export type Deployment = Schemas['Deployment'];
export type DeploymentDetail = Schemas['DeploymentDetail'];
export type DeployStatus = Schemas['DeployStatus'];
export type Edge = Schemas['Edge'];
export type ErrorGroup = Schemas['ErrorGroup'];
export type Finding = Schemas['Finding'];
export type Findings = Schemas['Findings'];
export type Health = Schemas['Health'];
export type Histogram = Schemas['Histogram'];
export type ListedTrace = Schemas['ListedTrace'];
export type LogRow = Schemas['LogRow'];
export type Marker = Schemas['Marker'];
export type MetricName = Schemas['MetricName'];
export type OriginCache = Schemas['OriginCache'];
export type OriginState = Schemas['OriginState'];
export type Overview = Schemas['Overview'];
export type PlacedDeployment = Schemas['PlacedDeployment'];
export type PipelineSummary = Schemas['PipelineSummary'];
export type Run = Schemas['Run'];
export type SeriesAnswer = Schemas['SeriesAnswer'];
export type Service = Schemas['Service'];
export type SessionState = Schemas['SessionState'];
export type SlotState = Schemas['SlotState'];
export type Span = Schemas['Span'];
export type Trace = Schemas['Trace'];
export type TraceList = Schemas['TraceList'];
export type Version = Schemas['Version'];
