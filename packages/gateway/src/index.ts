/**
 * A gateway in front of the Messages API.
 *
 *   import { createGateway } from '@lastgood/gateway'
 *
 *   const gateway = createGateway({ store: fileStore() })
 *   const response = await gateway.fetch(request)
 */
export { createGateway, type Gateway } from './gateway.ts'
export { type AwsCredentials, type AwsOptions } from './aws-signature.ts'
export { type Credentials, type Fetch, type GatewayOptions } from './options.ts'
