import manifest from '../../package.json' with { type: 'json' }

/** Of the package this file is part of. */
export const version: string = manifest.version
