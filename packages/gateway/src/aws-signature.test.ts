import { expect, test } from 'vitest'
import { regionOf } from './aws-signature.ts'

test.each([
  ['https://bedrock-runtime.us-east-1.amazonaws.com', 'us-east-1'],
  ['https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['https://bedrock-runtime.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['https://vpce-0a1b-2c3d.bedrock-runtime.eu-central-1.vpce.amazonaws.com', 'eu-central-1'],
  ['https://bedrock-runtime.eu-west-3.api.aws/path', 'eu-west-3'],
  ['https://llm.example/bedrock', 'ap-south-1'],
  ['https://bedrock-runtime.us-east-1.amazonaws.com.example', 'ap-south-1'],
])('the region is that of the host, or else the one that is given: %s', (url, region) => {
  expect(regionOf(url, { region: 'ap-south-1' })).toBe(region)
})
