import { FusionAuthClient } from '@fusionauth/typescript-client'
import type ClientResponse from '@fusionauth/typescript-client/build/src/ClientResponse.js'
import type { Emulator } from '../../src/emulator/index.ts'

export function clientOf(emulator: Emulator, tenantId?: string): FusionAuthClient {
  return new FusionAuthClient(emulator.apiKey, emulator.url, tenantId)
}

export interface Refused {
  readonly statusCode: number
  readonly exception?: {
    readonly fieldErrors?: Readonly<Record<string, readonly { readonly code: string }[]>>
    readonly generalErrors?: readonly { readonly code: string; readonly message: string }[]
  }
}

/** The client rejects with what a failed call was answered. */
export async function refusal(call: Promise<ClientResponse.default<unknown>>): Promise<Refused> {
  try {
    await call
  } catch (error) {
    return error as Refused
  }
  throw new Error('The call succeeded.')
}

/** An id the caller leaves to FusionAuth: the client's types ask for a string. */
export const unchosen = undefined as unknown as string
