import { type JavaSender, javaLikeSender } from './java-like-sender.ts'
import { hasJava, startJavaSender } from './java-sender.ts'

/** What every promise to a JVM is tested with: the client that behaves like one, and the JVM where there is one. */
export const javaSenders: readonly (readonly [string, (url: string | URL) => Promise<JavaSender>])[] = [
  ['the Java-like sender', async (url) => javaLikeSender(url)],
  ...(hasJava ? [['java', startJavaSender] as const] : []),
]
