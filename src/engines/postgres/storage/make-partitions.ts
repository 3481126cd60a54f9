import { type PostgresClient, statement } from '../sql.ts'

/**
 * Makes the partitions of the weeks around now that do not exist yet. Rows of a week without a partition are in the default partition, and
 * move when the partition of their week is made.
 */
export async function makePartitions(client: PostgresClient, schema: string): Promise<void> {
  await statement(`${schema}.make_partitions`, `select ${schema}.make_partitions()`)(client)
}
