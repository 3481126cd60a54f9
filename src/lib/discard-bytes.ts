/** So much of a refused body is read and thrown away: above the 30 MB of an event for 100,000 imported users, whose sender is to read the 413. */
export const discardBytes: number = 32 * 1024 * 1024
