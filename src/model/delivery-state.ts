/**
 * `pending`: due now or later, or waiting for an earlier delivery of its lane. `leased`: being attempted. The others are final. `abandoned`:
 * no process ran its handler for 7 days.
 */
export type DeliveryState = 'pending' | 'leased' | 'succeeded' | 'dead' | 'abandoned'
