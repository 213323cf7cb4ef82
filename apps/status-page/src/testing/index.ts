export { lostOnly, type SampleOptions, sampleRecords, sampleReport } from './sample-report.ts';
