import { createServer } from 'node:http'
import { listen } from '../lib/program.ts'

// A receiver that reads and answers 200.
listen(createServer((request, response) => void request.resume().on('end', () => response.end())))
