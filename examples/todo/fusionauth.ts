/** What this example asks of FusionAuth's API; of the emulator or of a real one. */
export interface FusionAuth {
  call(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body?: unknown }>
}

export function fusionAuth(url: string, apiKey: string): FusionAuth {
  return {
    async call(method, path, body) {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: apiKey, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, ...(text !== '' && { body: JSON.parse(text) }) }
    },
  }
}
