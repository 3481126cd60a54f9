import { type PostgresClient, statement } from '../sql.ts'

/** Makes the partitions of the weeks around now, where they are missing. What lies in none of them goes to the default one, and moves here. */
export async function makePartitions(client: PostgresClient, schema: string): Promise<void> {
  await statement(`${schema}.make_partitions`, `select ${schema}.make_partitions()`)(client)
}

/** Gives back the disk space of a week most of which was pruned, if there is one. */
export async function compactPartition(client: PostgresClient, schema: string): Promise<void> {
  await statement(`${schema}.compact`, `select ${schema}.compact()`)(client)
}
