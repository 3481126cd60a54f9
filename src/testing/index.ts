export { sign, type SigningAlgorithm, type SigningKey } from '../lib/sign.ts'
export { request, type RequestOptions } from './request.ts'
export { sample, type Overrides } from './sample.ts'
