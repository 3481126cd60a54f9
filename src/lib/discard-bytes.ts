/** How many bytes of a refused body are read and discarded, so that its sender reads the 413. An event for 100,000 imported users has 30 MB. */
export const discardBytes: number = 32 * 1024 * 1024
