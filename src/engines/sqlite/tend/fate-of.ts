/** SQL for the fate of an event: that of its worst delivery. Index: primary key (seq, handler). */
export const fateOf = (seq: string): string => `
    coalesce(
      (select case max(case d.state when 'succeeded' then 1 when 'dead' then 2 else 3 end)
          when 1 then 'succeeded' when 2 then 'dead' when 3 then 'waiting' end
        from fw_deliveries d where d.seq = ${seq}),
      'unhandled')`
