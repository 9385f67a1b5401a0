/** The bucket of a place, as an application opens it that uses the SDK by itself. */
import { S3Client } from '@aws-sdk/client-s3'

export function openBucket(place: string): { client: S3Client; Bucket: string } {
  const { hostname, searchParams } = new URL(place)
  const client = new S3Client({
    endpoint: searchParams.get('endpoint') ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  return { client, Bucket: hostname }
}
