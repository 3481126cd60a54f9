/** What FusionAuth's webhook is configured to send, and what each server here expects. */
export const key = 'k'.repeat(43)
